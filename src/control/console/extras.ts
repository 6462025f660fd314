/** What a console can do beyond the director's requests, where the program that serves it can. */
import type { Finding } from '../../doctor/facts.js';

/** A host of a lab: a network namespace with its interfaces. */
export interface LabHost {
  readonly name: string;
  readonly role: string;
  readonly ports: readonly { dev: string; segment: string; mac: string; addresses: readonly string[] }[];
}

/** A lab as it is drawn. */
export interface LabDrawing {
  readonly id: string;
  readonly topology: string;
  readonly summary: string;
  readonly hosts: readonly LabHost[];
  readonly vips: readonly string[];
  /** Faults that this lab can have. */
  readonly faults: readonly { name: string; title: string }[];
}

/** The lab that the director is in. All reject with an Error of one line. */
export interface LabControl {
  readonly drawing: LabDrawing;
  /** Injects a fault. */
  breakBy(fault: string): Promise<void>;
  /** Repairs what the doctor finds, by its own commands; resolves with those. */
  repair(): Promise<readonly string[]>;
  /** Sends one request from the client; resolves with the answer, or why there was none. */
  request(): Promise<string>;
}

export interface ConsoleExtras {
  /** Examines the machine or the lab. Rejects with an Error of one line. */
  readonly examine?: () => Promise<readonly Finding[]>;
  readonly lab?: LabControl;
}
