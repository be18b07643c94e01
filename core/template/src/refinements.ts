/** Lets a refinement run beside other faults, so that all are found at once; it may then see values of any type. */
export function isMapping(payload: { readonly value: unknown }): boolean {
  return typeof payload.value === "object" && payload.value !== null && !Array.isArray(payload.value);
}

export function hasOneCheck(value: { http?: unknown; tcp?: unknown; exec?: unknown }): boolean {
  return [value.http, value.tcp, value.exec].filter((one) => one !== undefined).length === 1;
}
