import type { QueryCondition } from "./query-condition.js";

/** Names of the attributes and dimensions that the condition needs. */
export function conditionFields(condition: QueryCondition): string[] {
  const names = new Set<string>();
  const visit = (one: QueryCondition): void => {
    switch (one.kind) {
      case "and":
      case "or":
        one.operands.forEach(visit);
        break;
      case "not":
        visit(one.operand);
        break;
      default:
        names.add(one.field);
    }
  };
  visit(condition);
  return [...names];
}
