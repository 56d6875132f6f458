// An EventTarget with emit().

export class Emitter extends EventTarget {
  /** @type {(type: string, detail?: any) => void} */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
