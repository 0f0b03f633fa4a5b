import type { Random } from "../fuzz/random.js";

/** The list of a chaos run, and what is known of it. */
export interface ChaosList {
  readonly text: string;
  /** Ids of tasks, barriers not among them. */
  readonly tasks: readonly number[];
  readonly barriers: readonly number[];
}

/** Lines of about so many tasks each, with a barrier between. */
const sectionTasks = 400;

/**
 * Tasks of 20 to 400 ms, seldom of seconds; some have a child in a session of its own. Some lines stand alone, some for many; after
 * some hundred tasks there is a barrier.
 */
export function makeList(random: Random, count: number): ChaosList {
  const lines = ["#DISBATCH PREFIX . ./task.sh; "];
  const [tasks, barriers]: [number[], number[]] = [[], []];
  let id = 0;
  let inSection = 0;
  while (tasks.length < count) {
    const many = random.oneIn(4) ? Math.min(2 + random.int(40), count - tasks.length) : 1;
    const command = commandOf(random);
    lines.push(many === 1 ? command : `#DISBATCH REPEAT ${many} ${command}`);
    for (let each = 0; each < many; each++) tasks.push(id++);
    inSection += many;
    if (inSection < sectionTasks || tasks.length >= count) continue;
    lines.push(random.oneIn(2) ? "#DISBATCH BARRIER" : "#DISBATCH BARRIER passed");
    barriers.push(id++);
    inSection = 0;
  }
  return { text: `${lines.join("\n")}\n`, tasks, barriers };
}

/** So many times 20 ms. */
function commandOf(random: Random): string {
  const turns = random.oneIn(60) ? 100 + random.int(200) : 1 + random.int(20);
  return `${random.oneIn(10) ? "tree" : "plain"} ${turns}`;
}

/**
 * Read by every task. Each line is appended to the journal by one write: `word id attempt rank host time`, where attempt names
 * the shell that ran it and when it began. The fifo has a writer, and nobody writes: a sleep that starts no process.
 */
export const taskScript = `exec 9<>./never
attempt=$$.$EPOCHREALTIME
tell() { echo "$1 $DISBATCH_TASKID $attempt $DISBATCH_ENGINE_RANK $HOSTNAME $EPOCHREALTIME" >>journal; }
turns() {
  local turn
  for ((turn = 0; turn < $1; turn++)); do
    read -rt 0.02 -u 9
    tell on
  done
}
plain() {
  tell start
  turns "$1"
  tell end
}
# What it does is done by a child in a session of its own, which would live on.
tree() {
  tell start
  export attempt
  setsid bash -c '. ./turns.sh' - "$1" &
  wait $!
  tell end
}
`;

export const turnsScript = `exec 9<>./never
for ((turn = 0; turn < $1; turn++)); do
  read -rt 0.02 -u 9
  echo "on $DISBATCH_TASKID $attempt $DISBATCH_ENGINE_RANK $HOSTNAME $EPOCHREALTIME" >>journal
done
`;
