import type {
  AnnounceRequest,
  EnrolRequest,
  ExchangeRequest,
  KvsStore,
  QueuedTask,
  RenewRequest,
} from "@taskmuster/kvs";
import { decodeReport } from "@taskmuster/kvs/protocol";
import { numbered, outcomeText } from "../../scenarios/words.js";
import type { Operation } from "./store-server.js";

/** What the store is asked, in a line of a trace. */
export function operationText({ verb, args }: Operation): string {
  if (verb === "exchange") return exchangeText(args[0] as ExchangeRequest);
  if (verb === "renew") {
    const { engine, counter } = args[0] as RenewRequest;
    return `renew ${engine.slice(0, 4)} ${counter}`;
  }
  if (verb === "announce") {
    const { engine, claims, claimed, last } = args[0] as AnnounceRequest;
    const has = `${claims.map(numbered).join(" ")}, of ${claimed} ever`;
    return `announce ${engine.slice(0, 4)}: has ${has}${last ? "" : ", and more"}`;
  }
  if (verb === "enrol") {
    const { label, limit } = args[0] as EnrolRequest;
    return `enrol ${label}${limit === null ? "" : `, limit ${limit}`}`;
  }
  if (verb === "restore") {
    const [, contexts, engines] = args as Parameters<KvsStore["restore"]>;
    const granted = contexts.map(
      (each) => `${each.context}${each.granted === null ? "" : ` +${each.granted}`}`,
    );
    return `restore ${[...granted, ...engines.map(({ engine }) => engine.slice(0, 4))].join(" ")}`;
  }
  if (verb !== "publish") return `${verb} ${args.map(shown).join(" ")}`;
  const [, number, tasks, where] = args as readonly [number, number, readonly QueuedTask[], string?];
  return `publish ${number}: ${tasks.map(numbered).join(" ")}${where === "front" ? ", in front" : ""}`;
}

function exchangeText({ engine, seq, reports, releases, wants, idleSlots }: ExchangeRequest): string {
  const told = reports.map(({ number, body }) => {
    const report = decodeReport(body);
    return `#${number} ${report.kind} ${numbered(report)} ${outcomeText(report.outcome)}`;
  });
  return [
    `exchange ${engine.slice(0, 4)} ${seq}: wants ${wants[0]?.max ?? 0}, ${idleSlots} idle`,
    ...(told.length > 0 ? [`reports ${told.join(", ")}`] : []),
    ...(releases.length > 0 ? [`releases ${releases.map(numbered).join(" ")}`] : []),
  ].join("; ");
}

function shown(value: unknown): string {
  if (typeof value === "string") return value.slice(0, 12);
  return typeof value === "number" ? `${value}` : "…";
}
