/** The part of Papa Parse that csv.ts uses; its own declarations bring Node's types into browser code. */
declare module "papaparse" {
  export interface ParseStep {
    readonly data: string[];
    readonly errors: readonly { readonly type: string; readonly message: string }[];
  }
  export interface ParseConfig {
    readonly delimiter: string;
    readonly newline: "\n" | "\r\n";
    readonly step: (row: ParseStep) => void;
  }
  const Papa: { parse(text: string, config: ParseConfig): void };
  export default Papa;
}
