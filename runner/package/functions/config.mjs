// Reads what functions export as `config`, and the schedule that Netlify's `schedule` wraps a handler
// with, from their syntax alone: none of their code runs.
// In:  {"acorn": folder, "files": [path]}. Out: {path: {"value", "line", "lines"} or {"line", "fault", "of"}};
// a file without an exported `config`, or that does not parse, is left out.

import { readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import path from "node:path";

const { acorn, files } = JSON.parse(readFileSync(0, "utf8"));
const { parse } = createRequire(path.join(acorn, "package.json"))("acorn");
const SCHEDULED = "@netlify/functions"; // its schedule("@daily", handler)

class Unknowable extends Error {
  constructor(node, message) {
    super(message);
    this.line = node.loc.start.line;
  }
}

function treeOf(file) {
  let code = readFileSync(file, "utf8");
  if (/\.[cm]?ts$/.test(file)) code = withoutTypes(code);
  for (const sourceType of ["module", "script"]) {
    try {
      return parse(code, { ecmaVersion: "latest", sourceType, locations: true, allowHashBang: true });
    } catch {}
  }
  return undefined;
}

function withoutTypes(code) {
  try {
    return stripTypeScriptTypes(code); // keeps every line where it is
  } catch {
    return stripTypeScriptTypes(code, { mode: "transform" });
  }
}

function exported(tree, names, name) {
  for (const node of tree.body) {
    if (node.type === "ExportNamedDeclaration" && !node.source) {
      if (node.declaration?.type === "VariableDeclaration" && own(node.declaration, name)) {
        return own(node.declaration, name);
      }
      const local = node.specifiers.find((one) => (one.exported.name ?? one.exported.value) === name);
      if (local) return names.get(local.local.name) ?? local;
    }
    const assigned = node.type === "ExpressionStatement" && common(node.expression, name);
    if (assigned) return assigned;
  }
  return undefined;
}

const own = (declaration, name) => declaration.declarations.find((one) => one.id.name === name)?.init;
const isExports = (node) =>
  node.name === "exports" ||
  (node.type === "MemberExpression" && node.object.name === "module" && node.property.name === "exports");

function common(expression, name) {
  if (expression.type !== "AssignmentExpression") return undefined;
  const { left, right } = expression;
  if (left.type === "MemberExpression" && isExports(left.object) && left.property.name === name) {
    return right;
  }
  if (!isExports(left) || right.type !== "ObjectExpression") return undefined;
  return right.properties.find((one) => one.key?.name === name)?.value;
}

function constants(tree) {
  const found = new Map();
  for (const node of tree.body) {
    const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declaration?.type !== "VariableDeclaration" || declaration.kind !== "const") continue;
    for (const { id, init } of declaration.declarations) if (init) found.set(id.name, init);
  }
  return found;
}

function valueOf(node, names, depth = 0) {
  if (depth > 20) throw new Unknowable(node, "refers to itself");
  const value = (one) => valueOf(one, names, depth + 1);
  if (node.type === "Literal" && !node.regex && !node.bigint) return node.value;
  if (node.type === "TemplateLiteral" && !node.expressions.length) return node.quasis[0].value.cooked;
  if (node.type === "UnaryExpression" && node.operator === "-") return -value(node.argument);
  if (node.type === "BinaryExpression" && "+-*/".includes(node.operator)) {
    const [left, right] = [value(node.left), value(node.right)];
    if (typeof left === "number" && typeof right === "number") {
      return { "+": left + right, "-": left - right, "*": left * right, "/": left / right }[node.operator];
    }
  }
  if (node.type === "Identifier" && names.has(node.name)) return value(names.get(node.name));
  if (node.type === "ArrayExpression" && node.elements.every((one) => one && one.type !== "SpreadElement")) {
    return node.elements.map(value);
  }
  if (node.type === "ObjectExpression") {
    return Object.fromEntries(node.properties.map((one) => [keyOf(one), value(one.value)]));
  }
  throw new Unknowable(node, "is only known when the function runs");
}

function keyOf(property) {
  if (property.type !== "Property" || property.computed || property.kind !== "init") {
    throw new Unknowable(property, "has a member that is only known when the function runs");
  }
  return String(property.key.name ?? property.key.value);
}

function resolved(tree, names, name) {
  let node = exported(tree, names, name);
  for (let depth = 0; node?.type === "Identifier" && names.has(node.name) && depth < 20; depth++) {
    node = names.get(node.name);
  }
  return node;
}

// What this file calls Netlify's function `schedule`, and the module that has it.
function wrappers(tree) {
  const [functions, modules] = [new Set(), new Set()];
  for (const node of tree.body) {
    if (node.type === "ImportDeclaration" && node.source.value === SCHEDULED) {
      for (const one of node.specifiers) {
        if (one.type !== "ImportSpecifier") modules.add(one.local.name);
        else if (one.imported.name === "schedule") functions.add(one.local.name);
      }
    }
    for (const { id, init } of node.type === "VariableDeclaration" ? node.declarations : []) {
      if (init?.type !== "CallExpression" || init.callee.name !== "require") continue;
      if (init.arguments[0]?.value !== SCHEDULED) continue;
      if (id.type === "Identifier") modules.add(id.name);
      for (const one of id.properties ?? []) if (one.key?.name === "schedule") functions.add(one.value.name);
    }
  }
  return { functions, modules };
}

function scheduleOf(tree, names) {
  const call = resolved(tree, names, "handler");
  if (call?.type !== "CallExpression" || !call.arguments.length) return undefined;
  const { functions, modules } = wrappers(tree);
  const { callee } = call;
  const ours =
    functions.has(callee.name) ||
    (callee.type === "MemberExpression" && modules.has(callee.object.name) && callee.property.name === "schedule");
  return ours ? call.arguments[0] : undefined;
}

function read(node, names, of) {
  if (!node) return undefined;
  const line = node.loc.start.line;
  try {
    const value = valueOf(node, names);
    const members = node.type === "ObjectExpression" ? node.properties : [];
    return { value, line, lines: Object.fromEntries(members.map((one) => [keyOf(one), one.loc.start.line])) };
  } catch (error) {
    if (error instanceof Unknowable) return { line: error.line, fault: error.message, of };
    throw error;
  }
}

function configOf(file) {
  const tree = treeOf(file);
  if (!tree) return undefined;
  const names = constants(tree);
  const config = read(resolved(tree, names, "config"), names, "`config`");
  const schedule = read(scheduleOf(tree, names), names, "the schedule");
  if (!schedule || config?.fault) return config;
  if (schedule.fault) return schedule;
  const lines = { schedule: schedule.line, ...config?.lines };
  return { value: { schedule: schedule.value, ...config?.value }, line: config?.line ?? schedule.line, lines };
}

const found = {};
for (const file of files) {
  let config;
  try {
    config = configOf(file);
  } catch (error) {
    if (!(error instanceof SyntaxError) && error.code !== "ERR_INVALID_TYPESCRIPT_SYNTAX") throw error;
  }
  if (config) found[file] = config;
}
process.stdout.write(JSON.stringify(found));
