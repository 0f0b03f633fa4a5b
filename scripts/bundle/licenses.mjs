import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../setup/root.mjs";
import { Refusal } from "../setup/screen.mjs";

/**
 * The licences of the packages whose files went into a bundle, as one text.
 * @param {Iterable<string>} inputs bundled files, relative to the repository
 */
export function thirdPartyLicenses(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) packages.add(found[1]);
  }
  const texts = [...packages].map(describe).toSorted((a, b) => a.title.localeCompare(b.title, "en"));
  const distinct = new Map(texts.map((text) => [text.title, text]));
  return [
    "Taskmuster's programs contain the following packages, each under its own licence.",
    ...[...distinct.values()].map(({ title, text }) => `${"-".repeat(78)}\n${title}\n\n${text.trim()}`),
    "",
  ].join("\n\n");
}

/**
 * @typedef {{ name: string, version: string, license?: unknown, author?: string | { name?: string } }} About
 * @param {string} directory
 */
function describe(directory) {
  const folder = path.join(root, directory);
  const about = /** @type {About} */ (JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")));
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[sc]e|copying|notice)([.-]|$)/i.test(name))
    .toSorted();
  if (typeof about.license !== "string")
    throw new Refusal(`${directory} names no licence: it cannot be bundled.`);
  const text = texts.map((name) => readFileSync(path.join(folder, name), "utf8")).join("\n");
  const author = typeof about.author === "string" ? about.author : (about.author?.name ?? "its authors");
  return {
    title: `${about.name} ${about.version} (${about.license})`,
    text:
      text || `The package carries no licence text; its package.json says: ${about.license}, by ${author}.`,
  };
}
