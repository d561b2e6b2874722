/** What reads, checks and answers conditions: loaded with the first one, since most reads have none. */
export { type PreparedCondition, prepareCondition } from "./condition-eval.js";
export { prepareTileTest } from "./condition-prune.js";
export { parseCondition } from "./query-condition-parser.js";
export { queryConditionOf } from "./stored-condition.js";
