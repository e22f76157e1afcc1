// Cases that apply to a client and do not hold yet, with the reason. They are played all the same: one that begins to hold
// makes the test ask for its entry to be taken out.

/** By test and index of the case. Empty: all hold. */
export const KNOWN: Readonly<Record<string, string>> = Object.freeze({});
