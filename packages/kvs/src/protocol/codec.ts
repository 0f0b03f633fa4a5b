import { Packr } from "msgpackr";
import * as z from "zod/mini";
import { MalformedMessageError } from "../errors.js";

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: "number" });

/** Msgpack without extensions of msgpackr's own, so that any language can read it. */
export function pack(value: unknown): Buffer {
  return packr.pack(value);
}

/** `what` names the message in the error. Throws `MalformedMessageError`. */
export function unpack(what: string, bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new MalformedMessageError(what, "it is not msgpack", { cause });
  }
}

/** Text of one line for people: it comes to stand in logs and on terminals. */
export const lineSchema = z
  .string()
  .check(z.maxLength(1_000), z.regex(/^\P{Cc}*$/u, "one line of text expected"));

/** Unpacks and validates. Throws `MalformedMessageError`, also when there are more than `mostBytes`. */
export function unpackAs<Schema extends z.ZodMiniType>(
  what: string,
  schema: Schema,
  bytes: Uint8Array,
  mostBytes: number,
): z.infer<Schema> {
  if (bytes.length > mostBytes)
    throw new MalformedMessageError(what, `it has ${bytes.length} bytes, and ${mostBytes} are the most`);
  const parsed = schema.safeParse(unpack(what, bytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new MalformedMessageError(what, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}
