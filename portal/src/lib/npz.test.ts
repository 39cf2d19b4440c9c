import { expect, test } from 'vitest';
import { readNpy, readNpz } from './npz.ts';

/** `numpy.savez_compressed(…, pae=…, other=…)` of numpy 2.4.6, float32, and `numpy.savez` of the same as float64. */
const compressed =
  'UEsDBC0AAAAIAAAAIQDxDKm+//////////8HABQAcGFlLm5weQEAEACYAAAAAAAAAF0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq' +
  '6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKxpo6CrUKZAMuBoYGOwaGCQ4MDP8cGRg6gDSDPQODgyMAUEsDBC0AAAAIAAAAIQAn' +
  'g7L+//////////8JABQAb3RoZXIubnB5AQAQAIQAAAAAAAAARwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5' +
  'SSChJ3S8wpTgWKF2ckFqQC+RqGOpo6CrUKFAAuBiAAAFBLAQItAy0AAAAIAAAAIQDxDKm+XQAAAJgAAAAHAAAAAAAAAAAAAACAAQAAAABwYWUu' +
  'bnB5UEsBAi0DLQAAAAgAAAAhACeDsv5HAAAAhAAAAAkAAAAAAAAAAAAAAIABlgAAAG90aGVyLm5weVBLBQYAAAAAAgACAGwAAAAYAQAAAAA=';
const stored =
  'UEsDBC0AAAAAAAAAIQBO069X//////////8HABQAcGFlLm5weQEAEACwAAAAAAAAALAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnPGY4Jy' +
  'wgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
  'ICAgICAgICAgICAgICAgICAgIAoAAAAAAADQPwAAAAAAABJAAAAAAADAP0AAAAAAAAARQAAAAAAAAOA/AAAAAAAAKEBQSwMELQAAAAAAAAAhAC' +
  'eDsv7//////////wkAFABvdGhlci5ucHkBABAAhAAAAAAAAACEAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29y' +
  'ZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC' +
  'AgICAgICAKAAAAAFBLAQItAy0AAAAAAAAAIQBO069XsAAAALAAAAAHAAAAAAAAAAAAAACAAQAAAABwYWUubnB5UEsBAi0DLQAAAAAAAAAhACeD' +
  'sv6EAAAAhAAAAAkAAAAAAAAAAAAAAIAB6QAAAG90aGVyLm5weVBLBQYAAAAAAgACAGwAAACoAQAAAAA=';

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));

test("an array is read out of NumPy's archives, deflated or stored, of either width", async () => {
  for (const text of [compressed, stored]) {
    const { shape, values } = await readNpz(bytesOf(text), 'pae');
    expect([shape, [...values]]).toEqual([
      [2, 3],
      [0.25, 4.5, 31.75, 4.25, 0.5, 12],
    ]);
    expect((await readNpz(bytesOf(text), 'other')).values).toEqual(new Float32Array(1));
  }
});

test('what is none says what is wrong with it', async () => {
  await expect(readNpz(bytesOf(compressed), 'plddt')).rejects.toThrow('it has no plddt');
  await expect(readNpz(bytesOf(compressed).subarray(0, 100), 'pae')).rejects.toThrow('it has no directory');
  await expect(readNpz(new Uint8Array(), 'pae')).rejects.toThrow('it has no directory');
  expect(() => readNpy(new TextEncoder().encode('no array at all'))).toThrow('does not begin as one');
});
