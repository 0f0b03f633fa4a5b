import { describe, expect, it } from "vitest";
import { resumeCommand } from "../src/resume-command.js";

const plain = { taskFile: "tasks", statusFile: "/a/one_status.txt", spool: null, setAside: null };

describe("resumeCommand", () => {
  it("is the same command with the status file", () => {
    expect(resumeCommand({ ...plain, args: ["-s", "localhost:4", "tasks"] })).toBe(
      "driver -r /a/one_status.txt -s localhost:4 tasks",
    );
  });

  it("can be pasted into a shell whatever is in it", () => {
    const args = ["-p", "out dir", "it's\n$(id)"];
    expect(resumeCommand({ ...plain, statusFile: "/a b/s", args })).toBe(
      "driver -r '/a b/s' -p 'out dir' 'it'\\''s\n$(id)'",
    );
  });

  it("takes a list that came as a stream from where it was kept", () => {
    expect(resumeCommand({ ...plain, taskFile: "-", spool: "/a/one_tasks", args: ["-s", "a:1", "-"] })).toBe(
      "driver -r /a/one_status.txt -s a:1 /a/one_tasks",
    );
  });

  it("takes what a program has handed over from where it was kept, and leaves the program out", () => {
    for (const program of [
      ["--taskserver"],
      ["--taskserver", "h:1"],
      ["--taskcommand", "gen 3"],
      ["--taskc=x"],
    ]) {
      const args = [...program, "--embedded", "--json", "-s", "a:1", "-e"];
      expect(resumeCommand({ ...plain, taskFile: null, spool: "/a/one_tasks", args })).toBe(
        "driver -r /a/one_status.txt -s a:1 -e /a/one_tasks",
      );
    }
  });

  it("names a status file that was set aside, however its old name was written", () => {
    const setAside = { from: "/a/one_status.txt", to: "/a/one_status_1.txt" };
    expect(
      resumeCommand({ ...plain, setAside, args: ["-r", "/a/one_status.txt", "-p", "one", "tasks"] }),
    ).toBe("driver -r /a/one_status.txt -r /a/one_status_1.txt -p one tasks");
    for (const args of [["-r", "one_status.txt"], ["--resume-from=one_status.txt"], ["-eRrone_status.txt"]]) {
      expect(resumeCommand({ ...plain, setAside, args: [...args, "-p", "one", "tasks"] })).toBe(
        `driver -r /a/one_status.txt -r /a/one_status_1.txt ${args.join(" ")} -p one tasks`,
      );
    }
  });
});
