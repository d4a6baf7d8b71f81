// SPDX-License-Identifier: Apache-2.0
// An S3 server for the tests: node server.js ROOT [--no-conditions]. Requests and signatures are s3rver's; objects of the bucket "files" are the
// plain files below ROOT, so that tests look at them as at those of any other storage. Other buckets are kept elsewhere. Keys: S3RVER, S3RVER.
// Buckets are in the path, or in the name of the host (files.s3.localhost). Prints its port. --no-conditions: a server that takes no If-None-Match where something is written, and says so (501).
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pipeline } = require('stream/promises');
const S3rver = require('@20minutes/s3rver');
const Store = require('@20minutes/s3rver/lib/stores/filesystem');
const S3Error = require('@20minutes/s3rver/lib/models/error');
const S3Object = require('@20minutes/s3rver/lib/models/object');
const signatures = require('@20minutes/s3rver/lib/signature/v4');

const root = path.resolve(process.argv[2]);
const knowsConditions = !process.argv.includes('--no-conditions');
const aside = fs.mkdtempSync(path.join(os.tmpdir(), 's3-server-'));
const metadata = new Map(); // path -> headers that were stored with it
const etags = new Map(); // path, size, time -> MD5

const bucketOfHost = (host) => (/^(.+)\.s3\.localhost(?::\d+)?$/.exec(host) || [])[1];

// Signature V4 is of the path as it was sent, without a bucket that the host names ("everything that follows the host", says AWS); s3rver adds it, as V2 had it.
const { getStringToSign } = signatures;
signatures.getStringToSign = (canonical, request) => {
  const bucket = bucketOfHost(canonical.headers.host);
  return getStringToSign(bucket ? { ...canonical, uri: canonical.uri.slice(1 + bucket.length) || '/' } : canonical, request);
};

// x-amz-copy-source has "+" and its like encoded, which s3rver leaves so.
globalThis.decodeURI = decodeURIComponent;
// Its tokens of the next page are of DES, which OpenSSL 3 keeps among its legacies; three times the same key is the same cipher.
for (const name of ['createCipheriv', 'createDecipheriv']) {
  const original = crypto[name];
  crypto[name] = (kind, key, iv) => original('des-ede3-cbc', Buffer.concat([key, key, key]), iv);
}

function etagOf(file, stat) {
  const known = `${file}\n${stat.ino}\n${stat.size}\n${stat.mtimeMs}`;
  if (!etags.has(known)) etags.set(known, crypto.createHash('md5').update(fs.readFileSync(file)).digest('hex'));
  return etags.get(known);
}

class PlainStore extends Store {
  getBucketPath(bucket) {
    return bucket === 'files' ? root : path.join(aside, bucket);
  }

  getResourcePath(bucket, key = '', resource) {
    return resource === 'object' ? path.join(this.getBucketPath(bucket), key) : path.join(aside, '.resources', bucket, key, resource);
  }

  async getMetadata(bucket, key) {
    const file = this.getResourcePath(bucket, key, 'object');
    const stat = fs.statSync(file);
    if (stat.isDirectory() !== key.endsWith('/')) throw Object.assign(new Error(key), { code: 'ENOENT' });
    const etag = stat.isDirectory() ? crypto.createHash('md5').digest('hex') : etagOf(file, stat);
    return {
      ...metadata.get(file),
      etag: JSON.stringify(etag),
      'last-modified': stat.mtime.toUTCString(),
      'content-length': stat.isDirectory() ? 0 : stat.size,
    };
  }

  async existsObject(bucket, key) {
    return this.getMetadata(bucket, key).then(
      () => true,
      () => false,
    );
  }

  async getObject(bucket, key, options) {
    if (key.endsWith('/')) return null;
    return super.getObject(bucket, key, options);
  }

  // Whole or not at all, as S3 has it.
  async putContent(target, content) {
    const name = `.s3-part-${crypto.randomBytes(12).toString('hex')}`;
    const temporary = path.join(aside, name);
    const md5 = crypto.createHash('md5');
    let size = 0;
    const hashed = async function* (source) {
      for await (const piece of source) {
        md5.update(piece);
        size += piece.length;
        yield piece;
      }
    };
    try {
      await pipeline(content, hashed, fs.createWriteStream(temporary));
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.copyFileSync(temporary, path.join(path.dirname(target), name));
      fs.renameSync(path.join(path.dirname(target), name), target);
    } finally {
      fs.rmSync(temporary, { force: true });
    }
    return [size, md5.digest('hex')];
  }

  async putMetadata(bucket, key, headers) {
    const kept = Object.entries(headers).filter(([name]) => S3Object.ALLOWED_METADATA.includes(name) || name.startsWith('x-amz-meta-'));
    metadata.set(this.getResourcePath(bucket, key, 'object'), Object.fromEntries(kept));
  }

  async copyObject(fromBucket, fromKey, toBucket, toKey) {
    const from = this.getResourcePath(fromBucket, fromKey, 'object');
    const to = this.getResourcePath(toBucket, toKey, 'object');
    await this.putContent(to, fs.createReadStream(from));
    metadata.set(to, metadata.get(from));
    return this.getMetadata(toBucket, toKey);
  }

  async deleteObject(bucket, key) {
    fs.rmSync(this.getResourcePath(bucket, key, 'object'));
  }

  keysBelow(folder, prefix) {
    const keys = [];
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const key = prefix + entry.name;
      if (entry.isDirectory()) keys.push(`${key}/`, ...this.keysBelow(path.join(folder, entry.name), `${key}/`));
      else if (entry.isFile()) keys.push(key);
    }
    return keys;
  }

  // Only the folder that the prefix names is looked through where that is enough.
  async listObjects(bucket, { delimiter = '', startAfter = '', prefix = '', maxKeys = 1000 }) {
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const folder = path.join(this.getBucketPath(bucket), start);
    const keys = fs.existsSync(folder) && fs.statSync(folder).isDirectory() ? this.keysBelow(folder, start) : [];
    if (start && fs.existsSync(folder)) keys.push(start);
    const commonPrefixes = new Set();
    const found = [];
    for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
      if (!key.startsWith(prefix) || Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) <= 0) continue;
      if (end >= 0) commonPrefixes.add(key.slice(0, end + 1));
      else found.push(key);
    }
    const page = found.slice(0, maxKeys);
    const objects = await Promise.all(page.map(async (key) => new S3Object(bucket, key, null, await this.getMetadata(bucket, key))));
    return { objects, commonPrefixes: [...commonPrefixes], isTruncated: found.length > page.length };
  }
}

// What S3 does and s3rver does not: conditions on writes, and uploads that are given up.
async function more(ctx, next) {
  const byHost = bucketOfHost(ctx.host);
  const [bucket, ...rest] = `${byHost ? `${byHost}/` : ''}${decodeURIComponent(ctx.path.slice(1))}`.split('/');
  const key = rest.join('/');
  if (ctx.method === 'DELETE' && 'uploadId' in ctx.query) {
    fs.rmSync(path.join(ctx.store.getResourcePath(bucket, undefined, 'uploads'), ctx.query.uploadId), { recursive: true, force: true });
    ctx.status = 204;
    return undefined;
  }
  if (['PUT', 'POST'].includes(ctx.method) && ctx.get('if-none-match')) {
    const problem = knowsConditions
      ? (await ctx.store.existsObject(bucket, key)) && new S3Error('PreconditionFailed', 'It is there.')
      : new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented');
    if (problem) {
      ctx.req.resume();
      throw problem;
    }
  }
  return next();
}

const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: aside, vhostBuckets: false, serviceEndpoint: 'localhost' });
server.store = server.context.store = new PlainStore(aside);
server.middleware.unshift(more);
server.silent = true;
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => fs.rmSync(aside, { recursive: true, force: true }));
server.run().then(({ port }) => console.log(port));
