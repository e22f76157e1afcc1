// What there is to say about a code, and which codes there are: Istio's where the meaning is the same, and our own.

/** error: it cannot be used, or calls are bound to fail. warning: probably not what is meant. info: worth knowing. */
export type FindingSeverity = 'error' | 'warning' | 'info';

/** Heading of `inmesh check` under which it stands. */
export type CodeGroup = 'configuration' | 'kubernetes' | 'istio' | 'gateway-api' | 'routing' | 'resilience' | 'security';

export interface CodeEntry {
  readonly severity: FindingSeverity;
  readonly group: CodeGroup;
  /** A few words. */
  readonly title: string;
  /** What it means for calls. */
  readonly meaning: string;
  /** What to do, in one line. */
  readonly fix: string;
  /** What holds when there is no such finding, for checks that look at every configuration. */
  readonly fine?: string;
  /** Where the check comes from, when it is not ours. */
  readonly source?: string;
}

/** Those of Istio's analyzers that mean the same here. */
export type IstioCode =
  | 'IST0002'
  | 'IST0101'
  | 'IST0106'
  | 'IST0109'
  | 'IST0110'
  | 'IST0111'
  | 'IST0112'
  | 'IST0118'
  | 'IST0127'
  | 'IST0128'
  | 'IST0129'
  | 'IST0130'
  | 'IST0131'
  | 'IST0133'
  | 'IST0150'
  | 'IST0157'
  | 'IST0159'
  | 'IST0160'
  | 'IST0171'
  | 'IST0173'
  | 'IST0174'
  | 'IST0177';

/** 00: what is read; 01: resilience; 02: routing; 03: security. */
export type OwnCode =
  | 'INM0010'
  | 'INM0011'
  | 'INM0012'
  | 'INM0013'
  | 'INM0014'
  | 'INM0015'
  | 'INM0016'
  | 'INM0017'
  | 'INM0020'
  | 'INM0021'
  | 'INM0022'
  | 'INM0023'
  | 'INM0101'
  | 'INM0102'
  | 'INM0103'
  | 'INM0104'
  | 'INM0105'
  | 'INM0106'
  | 'INM0107'
  | 'INM0108'
  | 'INM0201'
  | 'INM0202'
  | 'INM0203'
  | 'INM0204'
  | 'INM0205'
  | 'INM0301'
  | 'INM0302'
  | 'INM0303'
  | 'INM0304'
  | 'INM0305'
  | 'INM0306';

export type CodeName = IstioCode | OwnCode;
