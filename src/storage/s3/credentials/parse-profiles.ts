/**
 * The profile files of the AWS command line, `credentials` and `config`: sections of `name = value` lines; `#` and `;`
 * begin comments; indented lines belong to the property above and are not needed here.
 */

/** Properties of a profile by their names in lower case. */
export type Profile = Readonly<Record<string, string>>;

/** Profiles of both files by name; where both have a property the credentials file counts. */
export function parseProfiles(config: string, credentials: string): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Profile>();
  for (const [section, properties] of parseSections(config)) {
    // In the config file all but "default" are called "profile NAME"; other sections are no profiles.
    const name = section === "default" ? section : /^profile\s+(.+)$/.exec(section)?.[1];
    if (name !== undefined) addTo(profiles, unquoted(name), properties);
  }
  for (const [section, properties] of parseSections(credentials)) addTo(profiles, section, properties);
  return profiles;
}

function addTo(profiles: Map<string, Profile>, name: string, properties: Profile): void {
  profiles.set(name, { ...profiles.get(name), ...properties });
}

function parseSections(text: string): [string, Profile][] {
  const sections: [string, Record<string, string>][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const section = /^\[\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    const property = /^([^\s=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (section !== undefined) sections.push([section, {}]);
    else if (property !== null && sections.length > 0) {
      sections.at(-1)![1][property[1]!.toLowerCase()] = property[2]!.replace(/\s+[#;].*$/, "");
    }
  }
  return sections;
}

function unquoted(name: string): string {
  return name.replace(/^(["'])(.*)\1$/, "$2");
}
