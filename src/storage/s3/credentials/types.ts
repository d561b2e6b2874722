/** Keys that requests are signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Milliseconds since 1970; left out: they do not expire. */
  readonly expiresAt?: number | undefined;
}

/** A place that may have credentials: undefined if it has none, an error if it has them but cannot give them. */
export type CredentialSource = () => Promise<AwsCredentials | undefined>;
