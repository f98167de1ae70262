// What can be wrong with a sealed bid. Codes and meanings are those of schoolmeals/procurement/sealing/faults.py.

export class SealingFault extends Error {
  // `about` may name `envelope`, `memberId` and `part`.
  constructor(code, about = {}) {
    super([code, about.envelope, about.memberId, about.part].filter(Boolean).join(" "));
    this.name = "SealingFault";
    this.code = code;
    this.envelope = about.envelope ?? "";
    this.memberId = about.memberId ?? "";
    this.part = about.part ?? "";
  }

  // What can cross to and from a worker.
  get plain() {
    return { code: this.code, envelope: this.envelope, memberId: this.memberId, part: this.part };
  }
}
