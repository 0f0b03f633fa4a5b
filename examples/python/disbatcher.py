"""Submit tasks to a driver from a Python program, and get their results.

    db = DisBatcher("squares", ["-s", "localhost:4"])
    for x in range(10):
        db.submit(f"expr {x} '*' {x}")
    for tid, status in db.syncTasks(range(10)).items():
        print(tid, status["ReturnCode"], status["OutData"])
    db.done()

The calls are those of disBatch's DisBatcher. All they do is push to and pop from lists in a Redis server, so this file is also a model for other
languages; docs/protocol.md describes the lists. Needs the package redis (Debian: python3-redis) and `driver` on PATH, or its path in `driver=`.
"""

import json
import os
import subprocess
import uuid

import redis


class RunOver(Exception):
    """The run has ended: what is waited for will not come."""


class DisBatcher:
    def __init__(self, tasksname="DisBatcher", args=(), kvsserver=None, driver="driver"):
        """Starts a driver with these arguments; or, with the URL of a server, signs in where a `driver --taskserver` waits already."""
        self.tid2status = {}
        self.ended = None
        self.driver = None
        if kvsserver is None:
            command = [driver, "--taskserver", "--embedded", "--json", *args]
            # It stops when its standard input ends, so when this program does. Its first line says where the store is.
            self.driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            said = json.loads(self.driver.stdout.readline() or "{}")
            if "addresses" not in said:
                self.driver.communicate()
                raise RunOver(f"the driver could not start: {said.get('message', 'see above')}")
            kvsserver = min(said["addresses"], key=lambda url: not url.startswith("unix:"))
            username, password = said.get("username"), said.get("password")
            tls = {"ssl_ca_data": said.get("certificate")}
        else:
            username, password = None, os.environ.get("TASKMUSTER_KVS_PASSWORD")
            tls = {"ssl_ca_certs": os.environ.get("TASKMUSTER_KVS_CA_FILE")}
        if not kvsserver.startswith("rediss:"):
            tls = {}
        self.kvs = redis.Redis.from_url(kvsserver, username=username, password=password, decode_responses=True, **tls)

        # Names that nobody used before, so that nothing of an earlier program is taken for ours.
        unique = f"{tasksname} {uuid.uuid4().hex[:8]}"
        self.donetask = f"{unique} done!"
        self.resultkey = f"{unique} result"
        self.taskkey = f"{unique} task"
        self.kvs.rpush("task source name", tasksname)
        self.kvs.rpush("task source done task", self.donetask)
        self.kvs.rpush("task source result key", self.resultkey)
        self.kvs.rpush("task source task key", self.taskkey)

    def submit(self, line):
        """Adds a task, or a #DISBATCH directive. Ids count from 0; a barrier takes one, a REPEAT as many as it has tasks."""
        self.kvs.rpush(self.taskkey, line)

    def wait_one_task(self):
        """Waits for a task, any, and returns its status. Raises RunOver when no more will come."""
        if self.ended is None:
            try:
                # Of two lists that are not empty the first is taken: the end comes after all results.
                name, value = self.kvs.blpop([f"{self.resultkey} done tasks", f"{self.resultkey} end"])
                if name.endswith(" done tasks"):
                    status = json.loads(self.kvs.lpop(f"{self.resultkey} {value}"))
                    self.tid2status[int(value)] = status
                    return status
                self.ended = json.loads(value)
            except redis.ConnectionError:
                self.ended = {"reason": "error", "message": "the key-value store has gone"}
        raise RunOver(self.ended["message"] or "all results have been given")

    def syncTasks(self, tids):
        """Waits for these tasks and returns a dictionary of their status. May be asked again for the same ones."""
        tids = list(tids)
        for tid in tids:
            while tid not in self.tid2status:
                self.wait_one_task()
        return {tid: self.tid2status[tid] for tid in tids}

    def done(self):
        """No more tasks come: waits for the end. Results that were not asked for are in tid2status then."""
        self.kvs.rpush(self.taskkey, self.donetask)
        try:
            while True:
                self.wait_one_task()
        except RunOver:
            pass
        if self.driver is not None:
            self.driver.stdout.read()
            self.driver.wait()
        if self.ended["reason"] != "finished":
            raise RunOver(self.ended["message"])

    def stop(self):
        """Stops the tasks that run, and the driver if it was started here."""
        if self.driver is not None:
            self.driver.communicate()
