import { Bug } from "@sampan/problem";

/** A range of IPv4 addresses, first to last, both as unsigned 32-bit numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** Of a /24: .1 is the gateway, .2 to .239 are given to instances, .240 up the engine gives to strangers in the network. */
export const FIRST_INSTANCE_HOST = 2;
export const LAST_INSTANCE_HOST = 239;

/** Parses `a.b.c.d/n`. Undefined for anything else, IPv6 too. */
export function parseRange(cidr: string): AddressRange | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) return undefined;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

export function renderAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The first /24 of the pool that touches none of the ranges in use, as a CIDR. Undefined when the pool is used up. */
export function chooseSubnet(pool: string, used: readonly AddressRange[]): string | undefined {
  const range = parseRange(pool);
  if (range === undefined || range.last - range.first < 255) throw new Bug(`${pool} holds no /24`);
  for (let first = range.first; first + 255 <= range.last; first += 256)
    if (!used.some((one) => one.first <= first + 255 && first <= one.last))
      return `${renderAddress(first)}/24`;
  return undefined;
}

/** The address after `last` (in a circle) that no instance has: one that was just given up is not reused at once. */
export function chooseAddress(
  subnet: string,
  used: ReadonlySet<string>,
  last: string | undefined,
): string | undefined {
  const range = parseRange(subnet);
  if (range === undefined) throw new Bug(`${subnet} is no IPv4 subnet`);
  const hosts = LAST_INSTANCE_HOST - FIRST_INSTANCE_HOST + 1;
  const lastHost = Number(last?.split(".").at(-1) ?? FIRST_INSTANCE_HOST - 1);
  for (let step = 1; step <= hosts; step++) {
    const host = FIRST_INSTANCE_HOST + ((((lastHost - FIRST_INSTANCE_HOST + step) % hosts) + hosts) % hosts);
    const address = renderAddress(range.first + host);
    if (!used.has(address)) return address;
  }
  return undefined;
}

/** Destinations of the kernel's IPv4 routing table, `/proc/net/route`: little-endian hex; the default route is left out. */
export function parseRoutes(table: string): readonly AddressRange[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, destination = "", , , , , , mask = ""] = line.split(/\s+/);
      const [first, bits] = [fromLittleEndian(destination), fromLittleEndian(mask)];
      if (first === undefined || bits === undefined || bits === 0) return [];
      return [{ first, last: first + (2 ** 32 - 1 - bits) }];
    });
}

function fromLittleEndian(hex: string): number | undefined {
  if (!/^[0-9A-F]{8}$/i.test(hex)) return undefined;
  return Buffer.from(hex, "hex").readUInt32LE();
}
