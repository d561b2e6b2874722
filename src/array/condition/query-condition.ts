/**
 * Query conditions: which cells a read keeps, decided by attributes and coordinates.
 */

/** What a cell is compared with. Numbers and bigints mix freely; text compares by its UTF-8 bytes. */
export type ConditionValue = number | bigint | string | boolean;

export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

export type QueryCondition =
  | {
      readonly kind: "compare";
      readonly field: string;
      readonly op: ComparisonOperator;
      readonly value: ConditionValue;
    }
  | {
      readonly kind: "in";
      readonly field: string;
      readonly values: readonly ConditionValue[];
      readonly negated: boolean;
    }
  /** Null test; `negated` asks for cells that are not null. */
  | { readonly kind: "null"; readonly field: string; readonly negated: boolean }
  | { readonly kind: "and" | "or"; readonly operands: readonly QueryCondition[] }
  | { readonly kind: "not"; readonly operand: QueryCondition };
