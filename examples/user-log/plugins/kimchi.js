import { Router } from 'express';
import { assertName, Refusal } from '../refusal.js';

const CLONE_MS = 4000;
const MAX_VMS = 100;

/** Virtual machines, in memory: what a Kimchi plugin would serve. */
export function kimchi(live, { cloneMs = CLONE_MS } = {}) {
  const vms = new Map();
  const timers = new Set();
  const add = (name, more) => {
    if (vms.has(name)) throw new Refusal(409, `There is a virtual machine “${name}” already.`);
    if (vms.size >= MAX_VMS) throw new Refusal(409, `This demo holds up to ${MAX_VMS} virtual machines.`);
    const vm = { name, state: 'stopped', cpus: 1, memoryMiB: 1024, ...more };
    vms.set(name, vm);
    return vm;
  };
  add('web-1', { state: 'running', cpus: 2, memoryMiB: 4096 });
  add('web-2', { state: 'running', cpus: 2, memoryMiB: 4096 });
  add('database', { state: 'running', cpus: 4, memoryMiB: 16384 });
  add('staging', { memoryMiB: 2048 });

  const find = (request) => {
    const vm = vms.get(request.params.name);
    if (!vm) throw new Refusal(404, `There is no virtual machine “${request.params.name}”.`);
    if (vm.state === 'cloning') throw new Refusal(409, `“${vm.name}” is still being cloned.`);
    return vm;
  };
  const move = (verb, to) => (request, response) => {
    request.sentence = `${verb} virtual machine “${request.params.name}”`;
    const vm = find(request);
    if (vm.state === to) throw new Refusal(409, `“${vm.name}” is ${to} already.`);
    vm.state = to;
    response.json(vm);
  };

  const router = Router();
  router.get('/vms', (_request, response) => response.json([...vms.values()]));
  router.post('/vms', (request, response) => {
    const name = request.body?.name;
    request.sentence = `Create virtual machine “${name ?? ''}”`;
    assertName(name);
    response.status(201).json(add(name));
  });
  router.post('/vms/:name/start', move('Start', 'running'));
  router.post('/vms/:name/stop', move('Stop', 'stopped'));
  router.post('/vms/:name/clone', (request, response) => {
    request.sentence = `Clone virtual machine “${request.params.name}”`;
    const { name, cpus, memoryMiB } = find(request);
    const clone = add(freeName(vms, name), { state: 'cloning', cpus, memoryMiB });
    request.sentence += ` as “${clone.name}”`;
    const task = live.task(response);
    const timer = setTimeout(() => {
      timers.delete(timer);
      clone.state = 'stopped';
      task.done();
    }, cloneMs);
    timers.add(timer);
    response.status(202).json({ task: task.id, vm: clone });
  });
  router.delete('/vms/:name', (request, response) => {
    request.sentence = `Delete virtual machine “${request.params.name}”`;
    const vm = find(request);
    if (vm.state === 'running') throw new Refusal(409, `“${vm.name}” is running. Stop it first.`);
    vms.delete(vm.name);
    response.status(204).end();
  });

  const close = () => {
    for (const timer of timers) clearTimeout(timer);
  };
  return { router, close };
}

function freeName(vms, name) {
  const base = name.slice(0, 22);
  for (let i = 1; ; i++) {
    const free = i === 1 ? `${base}-clone` : `${base}-clone-${i}`;
    if (!vms.has(free)) return free;
  }
}
