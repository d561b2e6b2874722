type ServerName = "s3proxy" | "versitygw";

/** Whether the machine has what installing and running the server takes. */
export function canHaveServer(name: ServerName): boolean;

/** The path of the server's program or jar, which is installed first where it is missing. */
export const ensureServer: Readonly<Record<ServerName, () => Promise<string>>>;
