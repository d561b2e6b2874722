export function findNginx(): string | null;
export function prepareNginx(inCi: boolean): void;
