/* As much of ASN.1's distinguished encoding (X.690) as a certificate needs. */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A tag below 31, the length of its content, and the content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(tags.sequence, ...content);
}

/** Context-specific; `constructed`: of other encodings, not of bytes. */
export function tagged(number: number, constructed: boolean, ...content: readonly Uint8Array[]): Buffer {
  return der((constructed ? 0xa0 : 0x80) | number, ...content);
}

/** A positive one, from its bytes, most significant first. */
export function integer(...bytes: readonly number[]): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const significant = first === -1 ? [0] : bytes.slice(first);
  // The highest bit is the sign.
  return der(tags.integer, Buffer.from((significant[0] ?? 0) > 0x7f ? [0, ...significant] : significant));
}

/** `1.2.840.10045.4.3.2` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(tags.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return der(tags.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(...content: readonly Uint8Array[]): Buffer {
  return der(tags.octetString, ...content);
}

export function text(tag: number, value: string): Buffer {
  return der(tag, Buffer.from(value));
}

export const yes = der(tags.boolean, Buffer.from([0xff]));

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [0x80 | bytes.length, ...bytes];
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    bytes.unshift(0x80 | (left % 128));
  return bytes;
}
