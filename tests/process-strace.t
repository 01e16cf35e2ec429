#!/usr/bin/python3
"""process-strace.t - strace -f as an independent witness of the same run"""
import ast
import re
import sys
sys.path.insert(0, 'tests')
from process_kit import *

need_bpf()
need('strace', 'make', 'cc', 'git')

CALL = re.compile(r'^(\w+)\((.*)\) += (-?\d+)(<.*>)?(?: (E\w+).*)?$', re.S)
CALLS = ('execve,execveat,open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,'
         'symlinkat,mkdir,mkdirat,rmdir,chdir,fchdir,chmod,fchmodat,connect,clone,clone3,fork,vfork,exit_group')
WRITES = re.compile(r'O_(WRONLY|RDWR|CREAT|TRUNC)')


def split(args):
    """The arguments of a call as strace writes them."""
    out, depth, quoted, at, i = [], 0, False, 0, 0
    while i < len(args):
        c = args[i]
        if quoted:
            if c == '\\':
                i += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in '([{<':
            depth += 1
        elif c in ')]}>':
            depth -= 1
        elif c == ',' and depth == 0:
            out.append(args[at:i].strip())
            at = i + 1
        i += 1
    return out + [args[at:].strip()]


def text(s):
    return ast.literal_eval('b' + s).decode(errors='surrogateescape')


class Witness:
    """What strace -ff -y wrote, as sets of the things that process tells."""

    def __init__(self, prefix, pid, cwd):
        self.prefix, self.sets = prefix, collections.defaultdict(set)
        self.counts = collections.Counter()
        self.read(pid, cwd)

    def path(self, s, base):
        p = text(s)
        return os.path.normpath(os.path.join(base, p)) if not p.startswith('/') else os.path.normpath(p)

    def base(self, dirfd, cwd):
        m = re.search(r'<(.*)>$', dirfd, re.S)
        return m[1] if m else cwd

    def read(self, pid, cwd):
        """One process, and those that it made."""
        try:
            lines = open('%s.%d' % (self.prefix, pid), errors='surrogateescape').read().split('\n')
        except FileNotFoundError:
            return
        unfound = set()     # programs that were searched in PATH, and not there yet
        for line in lines:
            m = CALL.match(line)
            if not m:
                continue
            args = split(m[2])
            if m[1] == 'execve':
                name = os.path.basename(text(args[0]))
                unfound.discard(name) if int(m[3]) == 0 else unfound.add(name)
            cwd = self.call(m[1], args, int(m[3]), (m[4] or '')[1:-1], cwd)
        self.sets['exec!'] |= unfound

    def call(self, name, a, result, what, cwd):
        ok_, at = result >= 0, '@' if result >= 0 else '!'
        if name in ('clone', 'clone3', 'fork', 'vfork') and result > 0:
            if 'CLONE_THREAD' not in ','.join(a):
                self.counts['forks'] += 1
            self.read(result, cwd)
        elif name == 'execve' and ok_:
            self.counts['execs'] += 1
            self.sets['exec'].add((self.path(a[0], cwd), tuple(text(x) for x in split(a[1][1:-1]))))
        elif name in ('open', 'openat', 'creat'):
            if name == 'creat' or WRITES.search(','.join(a[1:] if name == 'open' else a[2:])):
                path = what if ok_ else self.path(a[1], self.base(a[0], cwd)) if name == 'openat' else self.path(a[0], cwd)
                self.sets['open' + at].add(path.replace(' (deleted)', '') if ok_ else path)
                self.counts['opens' + at] += 1
            elif ok_ and 'O_PATH' not in ','.join(a) and os.path.isfile(what):
                self.sets['read@'].add(what)
        elif name in ('unlink', 'rmdir', 'mkdir', 'chmod'):
            self.sets[name + at].add(self.path(a[0], cwd))
        elif name in ('unlinkat', 'mkdirat', 'fchmodat'):
            kind = 'rmdir' if 'AT_REMOVEDIR' in a[-1] else name[:-2].replace('fch', 'ch')
            self.sets[kind + at].add(self.path(a[1], self.base(a[0], cwd)))
        elif name in ('rename', 'link'):
            self.sets[name + at].add((self.path(a[0], cwd), self.path(a[1], cwd)))
        elif name in ('renameat', 'renameat2', 'linkat'):
            self.sets[name[:6 if name[0] == 'r' else 4] + at].add((self.path(a[1], self.base(a[0], cwd)), self.path(a[3], self.base(a[2], cwd))))
        elif name == 'symlink':
            self.sets['symlink' + at].add((self.path(a[1], cwd), text(a[0])))
        elif name == 'symlinkat':
            self.sets['symlink' + at].add((self.path(a[2], self.base(a[1], cwd)), text(a[0])))
        elif name == 'connect':
            m = re.search(r'sun_path=("[^"]*")', ','.join(a))
            self.sets['connect'].add((text(m[1]) if m else ','.join(a[1:2]), result if ok_ else -1))
        elif name == 'chdir' and ok_:
            return self.path(a[0], cwd)
        elif name == 'fchdir' and ok_:
            return self.base(a[0], cwd)
        return cwd


def ours(events):
    sets, n = collections.defaultdict(set), collections.Counter()
    kinds = {'file.delete': 'unlink', 'dir.delete': 'rmdir', 'dir.create': 'mkdir', 'file.chmod': 'chmod'}
    t = lambda e, k: text_of(e, k).decode(errors='surrogateescape')
    for e in events:
        if e['comm'] == 'strace' and 'pids' not in e:
            continue
        kind, at = e['type'], '!' if 'error' in e else '@'
        if kind == 'process.exec' and 'error' in e:
            sets['exec!'].add(os.path.basename(t(e, 'filename')))
        elif kind == 'process.exec' and not e.get('seed'):
            sets['exec'].add((t(e, 'filename'), tuple(e['argv'])))
            n['execs'] += 1
        elif kind == 'process.fork':
            n['forks'] += 1
        elif kind == 'file.read' or kind == 'file.open' and e['mode'] == ['read']:
            if ('opens' in e or kind == 'file.open') and os.path.isfile(t(e, 'path')):
                sets['read@'].add(t(e, 'path'))
            elif 'files' in e:
                sets['read in'].add(t(e, 'path'))
        elif kind == 'file.open':
            sets['open' + at].add(os.path.normpath(t(e, 'path')))
            n['opens' + at] += e['count']
        elif kind in kinds:
            sets[kinds[kind] + at].add(os.path.normpath(t(e, 'path')))
        elif kind in ('file.rename', 'file.link'):
            sets[kind[5:] + at].add((t(e, 'path'), t(e, 'to')))
        elif kind == 'file.symlink':
            sets['symlink' + at].add((t(e, 'path'), t(e, 'target')))
        elif kind == 'net.connect':
            sets['connect'].add((t(e, 'path') if 'path' in e else e['address'], 0 if e['result'] == 0 else -1))
    return sets, n


def witnessed(what, script, cwd, *options):
    log = os.path.join(scratch, 'strace.' + what.split()[0])
    os.makedirs(log)
    # strace says on which process it began with -o PREFIX: the files are PREFIX.PID
    run = 'read x; cd "$1" || exit; exec strace -ff -y -v -s 65536 -qq -e trace=%s -e signal=none -o "$2/t" sh -c "echo \\$\\$ >$2/first; %s"'
    ev, c, h = observe('process', options, ['sh', '-c', run % (CALLS, script), 'sh', cwd, log], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    equal(h.status, 0, what + ': it worked')
    first = int(open(log + '/first').read())
    w = Witness(log + '/t', first, cwd)
    sets, n = ours([e for e in ev if log not in (text_of(e, 'path') or b'').decode(errors='replace') or e['type'] != 'file.open'])
    for k in [k for k in w.sets if k.startswith('open')]:
        w.sets[k] = {p for p in w.sets[k] if log not in p}
    # files that were made by the run are counted together
    w.sets['read@'] -= {p for p in w.sets['read@'] if os.path.dirname(p) in sets['read in'] and p not in sets['read@']}
    sets.pop('read in', None)
    for k in sorted(set(w.sets) | set(sets)):
        only, missing = sets[k] - w.sets[k], w.sets[k] - sets[k]
        ok(not only and not missing, '%s: %d of %s' % (what, len(w.sets[k]), k), 'only process: %s\nonly strace: %s' % (sorted(only)[:5], sorted(missing)[:5]))
    # sh forks strace's first child before it is traced
    equal(n['execs'], w.counts['execs'], '%s: %d execs' % (what, n['execs']))
    ok('lost nothing' in c.messages, what + ': nothing is lost', c.messages)


T = os.path.realpath(os.path.join(scratch, 'work'))
os.makedirs(T + '/project')
with open(T + '/project/Makefile', 'w') as f:
    f.write('OBJ = $(patsubst %,f%.o,0 1 2 3 4 5 6 7)\nprog: $(OBJ) main.o\n\t$(CC) -o $@ $^\nlib.a: $(OBJ)\n\tar rcs $@ $^\n'
            'all: prog lib.a\n\tmkdir -p out/bin && mv prog out/bin/prog && ln -sf bin/prog out/prog && rm f0.o && ./out/prog\n')
for i in range(8):
    with open(T + '/project/f%d.c' % i, 'w') as f:
        f.write('#include <stdio.h>\nint f%d(int x) { return printf("%%d\\n", x + %d); }\n' % (i, i))
with open(T + '/project/main.c', 'w') as f:
    f.write('int f0(int), f7(int);\nint main(void) { return f0(1) + f7(2) < 0; }\n')
witnessed('make -j2 of a C project', 'make -j2 all', T + '/project')

os.environ.update(GIT_CONFIG_NOSYSTEM='1', HOME=T, GIT_AUTHOR_NAME='a', GIT_AUTHOR_EMAIL='a@b', GIT_COMMITTER_NAME='a', GIT_COMMITTER_EMAIL='a@b')
os.makedirs(T + '/repo/deep/er')
for i in range(20):
    with open(T + '/repo/deep/er/f%d' % i, 'w') as f:
        f.write('%d\n' % i * 100)
subprocess.run('git init -q . && git add . && git commit -qm one && git rm -q deep/er/f3 && git commit -qm two', shell=True, cwd=T + '/repo', check=True,
               stdout=subprocess.DEVNULL)
witnessed('git clone of a local repository', 'git clone -q repo copy', T, '--window', '0')
done()
