// A reader with a bug five levels deep, which blind chance does not find: what the fuzzer must find to be believed.

export function plantedReader(text: string): string {
  if (text.charCodeAt(0) === 109) {
    if (text.charCodeAt(1) === 101) {
      if (text.charCodeAt(2) === 115) {
        if (text.charCodeAt(3) === 104) {
          if (text.charCodeAt(4) === 33) throw new Error('the planted bug');
          return 'mesh';
        }
        return 'mes';
      }
      return 'me';
    }
    return 'm';
  }
  return '';
}
