type EmulatorName = "azurite" | "fake-gcs";

/** Whether the machine has what installing and running the emulator takes. */
export function canHaveEmulator(name: EmulatorName): boolean;

/** The path of the emulator's program or module, which is installed first where it is missing. */
export const ensureEmulator: Readonly<Record<EmulatorName, () => Promise<string>>>;

/** Installs what is missing in the background, and says loudly what the machine cannot have. */
export function prepareEmulators(): void;
