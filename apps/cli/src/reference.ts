export function cliReference(): string {
  return "";
}
