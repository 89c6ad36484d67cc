// Loaded with `node --require` into every process that the stack starts. The channel to the parent is the process's life: when
// the parent lets go of it, on purpose or by dying, the process ends as it would on Ctrl-C, so that Azurite saves its state.
import { flushCompileCache } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 8_000;
/** By then a part has compiled what it starts with. */
const STARTED_MS = 3_000;

if (isMainThread && process.channel !== undefined) {
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    const heard = process.emit('SIGINT') || process.emit('SIGTERM');
    if (!heard) process.exit(0);
  });
  // The listener alone must not keep a process that has nothing left to do.
  process.channel.unref();
}

// Node writes it at a process's end, and one that is killed has none.
if (isMainThread) setTimeout(() => flushCompileCache(), STARTED_MS).unref();
