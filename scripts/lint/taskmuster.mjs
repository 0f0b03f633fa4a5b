// The project's own lint rules: who may import whom, and what a pure core may not touch. They are rules rather than lists of
// patterns in the configuration because "only its own core files" needs paths resolved, at whatever depth the file lies.
import path from "node:path";

/**
 * What the linter hands to a rule, as far as these rules look at it.
 * @typedef {{ type: string, value?: unknown, name?: string, source?: Node | null, argument?: Node, literal?: Node, callee?: Node, arguments?: Node[] }} Node
 * @typedef {{ filename: string, report: (problem: { node: Node, message: string }) => void }} Context
 * @typedef {{ create: (context: Context) => Record<string, (node: Node) => void> }} Rule
 */

/**
 * What each package may import of the others.
 * @type {Record<string, readonly string[]>}
 */
const allowedPackages = {
  kvs: [],
  driver: ["kvs"],
  engine: ["kvs"],
  cli: ["kvs", "driver", "engine"],
};

const packageReason =
  "kvs imports no other package of ours, driver and engine only kvs, cli all; driver and engine share nothing but kvs/protocol";
const climbReason = "import another package by its name, so that the rules on who may import whom hold";
const coreReason =
  "it is values in, values out, with the time as an argument, so that the whole system can run in one process in virtual time";

/** @type {Record<string, Rule>} */
const rules = {
  "package-boundaries": {
    create(context) {
      const place = locate(context.filename);
      if (place === undefined) return {};
      const allowed = allowedPackages[place.package] ?? [];
      return onImports((specifier, node) => {
        const other = /^@taskmuster\/([^/]+)/.exec(specifier)?.[1];
        if (other === place.package) {
          context.report({ node, message: `a package imports its own files by path, not ${specifier}` });
        } else if (other !== undefined && !allowed.includes(other)) {
          context.report({
            node,
            message: `packages/${place.package} may not import ${specifier}: ${packageReason}`,
          });
        } else if (specifier.startsWith(".") && resolve(place.file, specifier).startsWith("..")) {
          context.report({
            node,
            message: `${specifier} leaves packages/${place.package}/src: ${climbReason}`,
          });
        }
      });
    },
  },

  "pure-core": {
    create(context) {
      const place = locate(context.filename);
      const core = place?.core;
      if (place === undefined || core === undefined) return {};
      return {
        ...onImports((specifier, node) => {
          const fine = specifier.startsWith(".")
            ? resolve(place.file, specifier).startsWith(`${core}/`)
            : specifier === "@taskmuster/kvs/protocol";
          if (fine) return;
          const message = `core/ may import only its own core/ files and @taskmuster/kvs/protocol, not ${specifier}: ${coreReason}`;
          context.report({ node, message });
        }),
        NewExpression(node) {
          if (node.callee?.name !== "Date" || node.arguments?.length !== 0) return;
          context.report({ node, message: `core/ may not look at the clock with new Date(): ${coreReason}` });
        },
      };
    },
  },
};

export default { meta: { name: "taskmuster" }, rules };

/**
 * Where a source file lies: its package, its path below src/, and its outermost core folder (core/task-file/ belongs to core/).
 * @param {string} filename
 */
function locate(filename) {
  const found = /(?:^|\/)packages\/([^/]+)\/src\/(.*)$/.exec(filename.replaceAll(path.sep, "/"));
  const [, name, file] = found ?? [];
  if (name === undefined || file === undefined) return undefined;
  return { package: name, file, core: /^(?:.*?\/)??core(?=\/)/.exec(file)?.[0] };
}

/**
 * A relative import as a path below src/.
 * @param {string} file
 * @param {string} specifier
 */
function resolve(file, specifier) {
  return path.posix.join(path.posix.dirname(file), specifier);
}

/**
 * Visitors for every way to name a module: import, export … from, import("…"), and import("…").Type.
 * @param {(specifier: string, node: Node) => void} judge
 * @returns {Record<string, (node: Node) => void>}
 */
function onImports(judge) {
  /** @param {Node} node */
  const visit = (node) => {
    const named = node.source ?? node.argument?.literal ?? node.argument;
    if (typeof named?.value === "string") judge(named.value, node);
  };
  return {
    ImportDeclaration: visit,
    ExportNamedDeclaration: visit,
    ExportAllDeclaration: visit,
    ImportExpression: visit,
    TSImportType: visit,
  };
}
