/** Host names from a file (/etc/hosts): a configuration must not depend on DNS. */
import { readFileSync } from 'node:fs';
import { canonicalAddress } from '../../control/text/address.js';

export class HostNames {
  private readonly addresses = new Map<string, string>();

  /** Parses `text` in the format of hosts(5). Of several addresses for a name the first counts. */
  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      const canonical = canonicalAddress(address ?? '');
      if (canonical === undefined) continue;
      for (const name of names) if (!this.addresses.has(name)) this.addresses.set(name, canonical);
    }
  }

  static ofFile(path: string): HostNames {
    return new HostNames(readFileSync(path, 'utf8'));
  }

  /** The address of a name or address; undefined if the file does not have the name. */
  address(text: string): string | undefined {
    return canonicalAddress(text) ?? this.addresses.get(text);
  }
}
