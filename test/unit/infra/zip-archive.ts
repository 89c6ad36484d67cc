import { crc32, inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  path: string;
  contents: Buffer;
  /** MS-DOS date and time, as they stand in the archive. */
  stamp: number;
  /** Unix mode. */
  mode: number;
}

/** Reads an archive by its central directory, as unpackers do, and checks every size, checksum and local header against it (APPNOTE.TXT). */
export function readZip(archive: Buffer): ZipEntry[] {
  const end = archive.length - 22;
  if (archive.readUInt32LE(end) !== 0x06054b50) throw new Error('no end of central directory');
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  if (at + archive.readUInt32LE(end + 12) !== end)
    throw new Error('the central directory does not end where it should');
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error('no central header');
    const [packedSize, size] = [archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)];
    const nameLength = archive.readUInt16LE(at + 28);
    const path = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    if (archive.readUInt32LE(local) !== 0x04034b50) throw new Error(`no local header for ${path}`);
    // version needed … extra field length stand in both headers, in the same order
    if (!archive.subarray(local + 4, local + 30).equals(archive.subarray(at + 6, at + 32)))
      throw new Error(`the headers of ${path} differ`);
    const start = local + 30 + nameLength;
    if (archive.toString('utf8', local + 30, start) !== path) throw new Error(`the names of ${path} differ`);
    const contents = inflateRawSync(archive.subarray(start, start + packedSize));
    if (contents.length !== size || crc32(contents) !== archive.readUInt32LE(at + 16))
      throw new Error(`${path} is damaged`);
    entries.push({
      path,
      contents,
      stamp: archive.readUInt32LE(at + 12),
      mode: archive.readUInt32LE(at + 38) >>> 16,
    });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}
