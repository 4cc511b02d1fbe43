import { join } from "node:path";

import ts from "typescript";

import { readPage, ROOT } from "./page";
import { moduleOf } from "./story";

/** A page, and the interface of what its code takes as given: `<file>#<name>`, the file relative to this folder. */
export interface TypedPage {
  page: string;
  given: string;
}

/** What the compiler has to say about the TypeScript of pages, read with the SDK's sources and this repository's settings. */
export function typeProblemsOf(pages: readonly TypedPage[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const settings = { ...options, module: ts.ModuleKind.ESNext, noEmit: true, skipLibCheck: true };
  const modules = new Map(pages.map((page) => [fileOf(page), typedModuleOf(page)]));

  const files = ts.createCompilerHost(settings);
  const host: ts.CompilerHost = {
    ...files,
    fileExists: (file) => modules.has(file) || files.fileExists(file),
    readFile: (file) => modules.get(file) ?? files.readFile(file),
    getSourceFile: (file, languageVersion, ...rest) => {
      const text = modules.get(file);
      return text === undefined
        ? files.getSourceFile(file, languageVersion, ...rest)
        : ts.createSourceFile(file, text, languageVersion, true);
    },
  };
  const program = ts.createProgram([...modules.keys()], settings, host);
  return pages.flatMap((page) => {
    const source = program.getSourceFile(fileOf(page));
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ file, start = 0, messageText }) =>
        `${page.page}:${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
}

const fileOf = ({ page }: TypedPage): string => join(__dirname, `${page.replaceAll("/", "-")}.ts`);

/** The page's module, with what it takes as given declared behind it, where it moves no line. */
function typedModuleOf({ page, given }: TypedPage): string {
  const [file = "", name = ""] = given.split("#");
  const declared = propertiesOf(join(__dirname, `${file}.ts`), name).map(
    (property) => `declare const ${property}: import("./${file}").${name}["${property}"];`,
  );
  return [
    moduleOf(readPage(page)),
    "declare function step(block: number): Promise<void>;",
    ...declared,
    "export {};",
  ].join("\n");
}

function propertiesOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, ts.sys.readFile(file) ?? "", ts.ScriptTarget.ES2022);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  if (found === undefined) throw new Error(`${file} has no interface ${name}.`);
  return found.members.flatMap((member) => (member.name && ts.isIdentifier(member.name) ? [member.name.text] : []));
}
