# agentsight - see README.md. `make help` lists the targets.
#
# One folder per tool: TOOL/TOOL.c holds main, every other TOOL/*.c is a part
# of it. A name in FILTERS (what needs no libbpf; sysmon reads /proc), SINKS
# (the same, where lines end) or PROBES is all that a new tool needs here.

FILTERS = jsonfilter httpparse ssemerge llmparse authstrip sysmon
SINKS   = sqlitesink otelsink websink
PROBES  = sslsniff process stdiocap tcpsniff

PACKAGES = gcc make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev \
	libjansson-dev node-llhttp libbrotli-dev libzstd-dev libnghttp2-dev libsqlite3-dev \
	libcurl4-openssl-dev libmicrohttpd-dev libseccomp-dev libssl-dev libvectorscan-dev libc6-dev \
	protobuf-compiler python3-protobuf golang-go nodejs wget libcurl3-gnutls libcurl3-nss libnss3-tools \
	sqlite3 perl procps util-linux openssl curl python3 python3-jsonschema jq mandoc shellcheck zsh fish

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/agentsight
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR ?= $(PREFIX)/share/doc/agentsight

O ?= build
ifneq ($(SANITIZE),)
B = $(O)/san
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
B = $(O)
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDENLD = -pie -Wl,-z,relro,-z,now
endif

CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool) bpftool)
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
VERSION := $(shell cat VERSION 2>/dev/null || echo 0)
ALL_CFLAGS = -std=gnu11 -Wall -Wextra $(HARDEN) $(SANFLAGS) $(CFLAGS)
ALL_CPPFLAGS = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -Ilib -I/usr/share/include/llhttp $(CPPFLAGS)
ALL_LDFLAGS = $(HARDENLD) $(SANFLAGS) $(LDFLAGS)

# Libraries beyond libc, per tool.
LIBS_stage = -ljansson -lseccomp
LIBS_probe = $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null || echo -lbpf) -lelf -lz
LIBS_httpparse = -lz -lbrotlidec -lzstd -lnghttp2
LIBS_sysmon = -lm
LIBS_authstrip = -lcrypto $(shell $(PKG_CONFIG) --libs libhs 2>/dev/null || echo -lhs)
LIBS_sqlitesink = -lsqlite3 -lcrypto
LIBS_otelsink = -lcurl -lcrypto -lz -lm -lpthread
LIBS_websink = -lmicrohttpd -lsqlite3
LIBS_query = -lsqlite3
# Parts of other tools that it links.
PARTS_websink = jsonfilter/expr.c
# Model APIs: every file of vendor/ is one, or serves them all.
VENDOR_SRC = $(wildcard vendor/*.c)
PARTS_ssemerge = $(VENDOR_SRC)
PARTS_llmparse = $(VENDOR_SRC)
LIBS_parts = $(LIBS_httpparse) $(LIBS_authstrip) $(foreach t,$(SINKS),$(LIBS_$(t)))

# Quiet rules; V=1 shows the commands.
ifeq ($(V),1)
Q =
say =
else
Q = @
say = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(O)/%,%,$@)";
MAKEFLAGS += --no-print-directory
endif

LIBSTAGE_SRC = $(addprefix lib/,line.c event.c jput.c flow.c loss.c books.c opt.c stage.c clock.c proc.c container.c lenient.c caps.c sandbox.c show.c nearest.c)
# Asking a database; for what asks one.
LIBQUERY_SRC = $(addprefix lib/,query.c reports.c)
LIBPROBE_SRC = $(filter-out $(LIBSTAGE_SRC) $(LIBQUERY_SRC),$(wildcard lib/*.c))
LLHTTP_SRC = $(addprefix /usr/share/llhttp/,llhttp.c api.c http.c)

obj = $(patsubst %.c,$(B)/%.o,$(1))
tool_src = $(filter-out %.bpf.c,$(wildcard $(1)/*.c))
tool_parts = $(filter-out $(1)/$(1).c,$(call tool_src,$(1)))

LIBSTAGE_OBJ = $(call obj,$(LIBSTAGE_SRC))
LIBPROBE_OBJ = $(call obj,$(LIBPROBE_SRC))
LIBQUERY_OBJ = $(call obj,$(LIBQUERY_SRC))
LLHTTP_OBJ = $(patsubst /usr/share/llhttp/%.c,$(B)/llhttp/%.o,$(LLHTTP_SRC))
# Parts that need no libbpf, for unit tests and fuzzers: all of the filters'
# and sinks', and those of sslsniff that only read bytes.
PURE_SRC = $(foreach t,$(FILTERS) $(SINKS) report,$(call tool_parts,$(t))) \
	$(wildcard sslsniff/elf.c sslsniff/find_*.c sslsniff/found.c sslsniff/inspect.c sslsniff/cache.c sslsniff/hold.c)
PURE_OBJ = $(call obj,$(PURE_SRC))
# Not in an archive, from which only what is called for would come: vendors are found by their section.
VENDOR_OBJ = $(call obj,$(VENDOR_SRC))

UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
FUZZ = $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/main.c,$(wildcard tests/fuzz/*.c)))
FUZZMAIN = $(addprefix $(B)/tests/fuzz/,$(FUZZ))

# the driver, and its commands that are scripts of their own
DRIVER_C = agentsight-place agentsight-runlog agentsight-spawn agentsight-handover agentsight-nearest agentsight-show
DRIVER = $(addprefix $(B)/bin/,agentsight agentsight-doctor agentsight-discover agentsight-pipeline $(DRIVER_C))

# agentsight report, and the files that it runs
REPORT_FILES = prices.csv $(patsubst sqlitesink/%,%,$(wildcard sqlitesink/reports/*.sql sqlitesink/reports/*/*.sql))
REPORTS = $(B)/bin/agentsight-report $(addprefix $(B)/bin/,$(REPORT_FILES))

.PHONY: all filters probes deps deps-list deps-ui demo test test-build test-agents test-sdk test-otel test-web screenshots test-kernels deps-kernels websink-ui bench fuzz fuzz-elf soak \
	install install-service uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: filters probes $(DRIVER) $(REPORTS)

help:
	@echo 'make [all]      build everything            make filters  what needs no libbpf, clang, root'
	@echo 'make deps       install Debian packages      make demo     see it work'
	@echo 'make test       all tests                    make bench    speed, as ratios'
	@echo 'make fuzz       fuzz every parser            make soak     long runs'
	@echo 'make fuzz-elf   6000 damaged programs, looked at by sslsniff'
	@echo 'make deps-ui    npm and a browser           make test-web  the page, in a browser'
	@echo 'make test-sdk   against the vendors SDKs     make test-agents  real agents, from npm'
	@echo 'make test-otel  OTLP, with programs of others  make test-kernels  the collectors on other kernels'
	@echo 'make screenshots  pictures of all views of the page'
	@echo 'make install    DESTDIR= PREFIX=$(PREFIX)    make uninstall, make clean'
	@echo 'V=1 shows commands, SANITIZE=1 builds with ASan and UBSan'

filters: $(addprefix $(B)/bin/,$(FILTERS) $(SINKS)) $(REPORTS)
probes: $(addprefix $(B)/bin/,$(PROBES))

$(B)/bin/agentsight: agentsight.sh $(addprefix $(B)/bin/agentsight.,usage run end)
$(B)/bin/agentsight-%: driver/%.sh
	$(call say,DRIVER) mkdir -p $(@D)
	$(Q)install -m 755 $< $@
$(addprefix $(B)/bin/,$(DRIVER_C)): $(B)/bin/agentsight-%: $(B)/driver/%.o $(B)/libstage.a
	$(call say,LINK) mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_stage) $(LDLIBS)
$(B)/bin/agentsight.usage: driver/usage
	$(Q)mkdir -p $(@D) && cp $< $@
$(B)/bin/agentsight.run $(B)/bin/agentsight.end: $(B)/bin/agentsight.%: driver/%.sh
	$(Q)mkdir -p $(@D) && cp $< $@
$(B)/bin/agentsight:
	$(call say,DRIVER) mkdir -p $(@D)
	$(Q)install -m 755 $< $@

$(B)/bin/agentsight-report: $(call obj,$(call tool_src,report)) $(B)/libquery.a $(B)/libstage.a
	$(call say,LINK) mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_stage) $(LIBS_query) $(LDLIBS)
$(addprefix $(B)/bin/,$(REPORT_FILES)): $(B)/bin/%: sqlitesink/%
	$(Q)mkdir -p $(@D) && cp $< $@

# --- libraries -----------------------------------------------------------
$(B)/libstage.a: $(LIBSTAGE_OBJ)
$(B)/libprobe.a: $(LIBPROBE_OBJ)
$(B)/libquery.a: $(LIBQUERY_OBJ)
$(B)/libpure.a: $(PURE_OBJ)
$(B)/libllhttp.a: $(LLHTTP_OBJ)
$(B)/%.a:
	$(call say,AR) mkdir -p $(@D)
	$(Q)rm -f $@; ar rcs $@ $^

# --- objects -------------------------------------------------------------
$(B)/%.o: %.c
	$(call say,CC) mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(TOOL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/llhttp/%.o: /usr/share/llhttp/%.c
	$(call say,CC) mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -w -c -o $@ $<

# the schema is part of the program
$(B)/sqlitesink/schema.o: sqlitesink/schema.sql sqlitesink/schema2.sql sqlitesink/schema3.sql $(O)/sqlitesink/reasons.sql
$(B)/sqlitesink/schema.o: TOOL_CPPFLAGS = -DREASONS_FILE='"$(O)/sqlitesink/reasons.sql"'
$(O)/sqlitesink/reasons.sql: docs/losses.md sqlitesink/reasons.awk
	$(Q)mkdir -p $(@D) && awk -f sqlitesink/reasons.awk docs/losses.md >$@

# --- BPF: source -> object -> skeleton -> the tool's own object ------------
$(O)/bpf/%.bpf.o: %.bpf.c
	$(call say,BPF) mkdir -p $(@D)
	$(Q)$(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I. -Ilib \
		-idirafter /usr/include/$(shell $(CC) -print-multiarch) \
		-Wall -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.tmp $<
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp
$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL) $(BPFTOOL) gen skeleton $< name $(subst .bpf,,$(basename $(<F)))_bpf >$@.tmp
	$(Q)mv $@.tmp $@

# --- tools ---------------------------------------------------------------
define filter_rule
$(B)/bin/$(1): $(call obj,$(call tool_src,$(1)) $(PARTS_$(1))) $(if $(filter websink,$(1)),$(B)/libquery.a) $(B)/libstage.a $(if $(filter httpparse,$(1)),$(B)/libllhttp.a)
	$$(call say,LINK) mkdir -p $$(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $$@ $$^ $(LIBS_stage) $(LIBS_$(1)) $(LDLIBS)
endef
$(foreach t,$(FILTERS) $(SINKS),$(eval $(call filter_rule,$(t))))

define probe_rule
$(call obj,$(call tool_src,$(1))): $(if $(wildcard $(1)/*.bpf.c),$(O)/bpf/$(1)/$(1).skel.h)
$(call obj,$(call tool_src,$(1))): TOOL_CPPFLAGS = -I$(O)/bpf
$(B)/bin/$(1): $(call obj,$(call tool_src,$(1))) $(B)/libprobe.a $(B)/libstage.a
	$$(call say,LINK) mkdir -p $$(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $$@ $$^ $(LIBS_probe) $(LIBS_stage) $(LIBS_$(1)) $(LDLIBS)
endef
$(foreach t,$(PROBES),$(eval $(call probe_rule,$(t))))

# --- the page of websink: bundled with npm and esbuild, then embedded --------
$(O)/ui/page.html: websink/ui/build.sh $(wildcard websink/ui/*)
	$(call say,UI) mkdir -p $(@D)
	$(Q)sh $< $(@D)
websink-ui: $(O)/ui/page.html
$(call obj,websink/page.c): $(O)/ui/page.html
$(call obj,websink/replay.c): websink/events.sql
$(call obj,websink/page.c): TOOL_CPPFLAGS = -DPAGE_FILE='"$(O)/ui/page"'

# --- tests ---------------------------------------------------------------
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(VENDOR_OBJ) $(B)/libpure.a $(B)/libquery.a $(B)/libstage.a $(B)/libllhttp.a
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_stage) $(LIBS_parts)
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/main.o $(VENDOR_OBJ) $(B)/libpure.a $(B)/libquery.a $(B)/libstage.a $(B)/libllhttp.a
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_stage) $(LIBS_parts)

# What `prove` runs: filters, sinks, units and fuzz regressions built with sanitizers,
# collectors as they are shipped.
TESTPATH = $(abspath $(O)/san/bin):$(abspath $(O)/bin)
TESTS ?= $(sort $(wildcard tests/*.t))
# Two files at a time: what attaches to the machine one after another, beside it the filters and
# sinks, which watch nobody. PROVEFLAGS=-j1 for one at a time.
WATCHING = tests/{agentsight,bpf,finders,install,pipeline,probe,process,sslsniff,stdiocap,sysmon,tcpsniff,trust}*.t
PROVE = prove -j2 --failures --comments --rules 'seq=$(WATCHING)' --rules 'seq=**' $(PROVEFLAGS)

# Collectors for tests alone, tests/probe/NAME.c and NAME.bpf.c.
TESTPROBES = $(patsubst tests/probe/%.bpf.c,$(O)/tests/probe/%,$(wildcard tests/probe/*.bpf.c))
$(TESTPROBES:=.o): $(O)/tests/probe/%.o: $(O)/bpf/tests/probe/%.skel.h
$(TESTPROBES:=.o): TOOL_CPPFLAGS = -I$(O)/bpf
$(O)/tests/probe/%: $(O)/tests/probe/%.o $(O)/libprobe.a $(O)/libstage.a
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_probe) $(LIBS_stage)

# Who tries to leave the sandbox, and a kernel without a part of it, for tests/trust.t.
$(O)/tests/sandbox/%: $(O)/tests/sandbox/%.o $(O)/libstage.a
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_stage)

test-build: all $(TESTPROBES) $(addprefix $(O)/tests/sandbox/,escape older)
	$(Q)$(MAKE) SANITIZE=1 filters san-tests

.PHONY: san-tests
san-tests: $(UNIT) $(FUZZMAIN)

test: deps
	$(Q)$(MAKE) test-build
	$(Q)env PATH="$(TESTPATH):$$PATH" BUILD=$(abspath $(O)) SOAK=$(or $(SOAK),30) $(PROVE) $(TESTS)

# The same load for long: SOAK seconds.
soak: test-build
	$(Q)env PATH="$(TESTPATH):$$PATH" BUILD=$(abspath $(O)) SOAK=$(or $(SOAK),1800) prove -v tests/sslsniff-load.t

# Real peers, over TLS: the vendors' own client libraries, MCP's, ws, node, curl, nghttp.
test-sdk: test-build
	$(Q)mkdir -p $(O)/sdk && cp tests/sdk/package.json $(O)/sdk/
	$(Q)cd $(O)/sdk && npm install --no-audit --no-fund --loglevel=error
	$(Q)env SDK_MODULES=$(abspath $(O)/sdk/node_modules) PATH="$(TESTPATH):$$PATH" BUILD=$(abspath $(O)) prove $(PROVEFLAGS) tests/sdk/*.t

# Prices of all models that the npm package @pydantic/genai-prices knows: its data, with its day.
.PHONY: prices
prices:
	$(Q)rm -rf $(O)/prices && mkdir -p $(O)/prices
	$(Q)cd $(O)/prices && npm pack --silent @pydantic/genai-prices >name && tar xzf *.tgz
	$(Q)day=$$(npm view --json @pydantic/genai-prices time | grep "\"$$(sed -n 's/.*"version": "\(.*\)".*/\1/p' $(O)/prices/package/package.json)\":" | \
		sed 's/.*": "\([0-9-]*\)T.*/\1/') && node vendor/prices.mjs $(O)/prices/package "$$day" >$(O)/prices/prices.csv
	$(Q)mv $(O)/prices/prices.csv sqlitesink/prices.csv && grep -vc '^#' sqlitesink/prices.csv

# The page of websink in a real browser; node, npm and chromium come with deps-ui.
test-web: test-build
	$(Q)mkdir -p $(O)/web && cp tests/web/package.json tests/web/package-lock.json $(O)/web/
	$(Q)cd $(O)/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	$(Q)env PATH="$(abspath $(O)/bin):$$PATH" BUILD=$(abspath $(O)) prove $(PROVEFLAGS) -e node $(filter-out %/kit.mjs %/screenshots.mjs,$(sort $(wildcard tests/web/*.mjs)))

# Pictures of all views, in build/web/screens, and the one of the README, docs/page.png.
screenshots: all
	$(Q)mkdir -p $(O)/web && cp tests/web/package.json tests/web/package-lock.json $(O)/web/
	$(Q)cd $(O)/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	$(Q)env PATH="$(abspath $(O)/bin):$$PATH" BUILD=$(abspath $(O)) node tests/web/screenshots.mjs

# The real agents, from npm; each in a network namespace of its own.
test-agents: all
	$(Q)mkdir -p $(O)/agents && cp tests/agents/package.json $(O)/agents/
	$(Q)cd $(O)/agents && npm install --no-audit --no-fund --loglevel=error
	$(Q)env PATH="$(abspath $(O)/bin):$$PATH" prove $(PROVEFLAGS) -e /usr/bin/python3 tests/agents/run.py :: $(abspath $(O)/agents) $(AGENTS)

# otelsink against decoders, senders and a receiver of others, from npm.
test-otel: test-build
	$(Q)mkdir -p $(O)/otel && cp tests/otel/package.json $(O)/otel/
	$(Q)cd $(O)/otel && npm install --no-audit --no-fund --no-package-lock --loglevel=error
	$(Q)env PATH="$(TESTPATH):$$PATH" OTEL_MODULES=$(abspath $(O)/otel/node_modules) prove $(PROVEFLAGS) tests/otel/*.t

# The collectors on the kernels that people have, in qemu: KERNELS="6.1 6.12 newest", MODES="none
# lazy full", STEPS=loads,priv,test:process, JOBS=1. Root, for debootstrap; network, for packages.
test-kernels: deps-kernels
	$(Q)$(MAKE) all
	$(Q)env KERNELS="$(KERNELS)" MODES="$(MODES)" STEPS="$(STEPS)" JOBS="$(JOBS)" sh tests/kernels/run.sh $(abspath $(O))

demo: deps
	$(Q)$(MAKE) all
	$(Q)env PATH="$(abspath $(O)/bin):$$PATH" BUILD=$(abspath $(O)) sh tests/demo.sh

bench: all
	$(Q)env PATH="$(abspath $(O)/bin):$$PATH" BUILD=$(abspath $(O)) CC="$(CC)" sh tests/bench/bench.sh

fuzz: filters
	$(Q)env O="$(O)" CLANG="$(CLANG)" sh tests/fuzz/fuzz.sh $(FUZZ)

# Mutated ELF files, as a collector looks at them
fuzz-elf: probes
	$(Q)cd "$(O)" && env PATH="$(CURDIR)/$(O)/bin:$$PATH" python3 "$(CURDIR)/tests/fuzz/elf_files.py"

# --- packages ------------------------------------------------------------
deps-list:
	@echo $(PACKAGES)

# Installs what is missing, and only then needs root and a network.
deps:
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] || { echo "installing:$$missing"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

# What the page of websink is bundled with, and a browser to test it in. Not among
# deps: npm alone is 400 packages in Debian, and everything else does without.
deps-ui: deps
	@missing=; command -v npm >/dev/null || missing='nodejs npm'; command -v chromium >/dev/null || missing="$$missing chromium"; \
	[ -z "$$missing" ] || { echo "installing: $$missing"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

# Machines of other kernels, for test-kernels. Not among deps: qemu alone brings 100 MB.
KERNEL_PACKAGES = qemu-system-x86 debootstrap debian-archive-keyring cpio e2fsprogs kmod zstd xz-utils
deps-kernels: deps
	@missing=; for p in $(KERNEL_PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] || { echo "installing:$$missing"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

# --- install -------------------------------------------------------------
# process and sysmon are too general as names in a common bin folder.
TOOLS = $(FILTERS) $(SINKS) $(PROBES)
PUBLIC = $(foreach t,$(TOOLS),$(if $(filter process sysmon,$(t)),agentsight-$(t),$(t)))

install: all
	install -d $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR)
	install -m 755 $(addprefix $(B)/bin/,$(TOOLS)) $(DRIVER) $(B)/bin/agentsight-report $(DESTDIR)$(LIBEXECDIR)
	install -m 644 $(addprefix $(B)/bin/agentsight.,usage run end) $(DESTDIR)$(LIBEXECDIR)
	for f in $(REPORT_FILES); do install -D -m 644 $(B)/bin/$$f $(DESTDIR)$(LIBEXECDIR)/$$f; done
	for t in $(TOOLS); do case $$t in process|sysmon) n=agentsight-$$t;; *) n=$$t;; esac; \
		ln -sf $(LIBEXECDIR)/$$t $(DESTDIR)$(BINDIR)/$$n; done
	ln -sf $(LIBEXECDIR)/agentsight $(DESTDIR)$(BINDIR)/agentsight
	for m in man/*.[1-8]; do s=$${m##*.}; install -d $(DESTDIR)$(MANDIR)/man$$s; \
		install -m 644 $$m $(DESTDIR)$(MANDIR)/man$$s; done
	install -m 644 README.md NEWS.md LICENSE docs/* sqlitesink/schema.sql sqlitesink/schema2.sql sqlitesink/schema3.sql $(DESTDIR)$(DOCDIR)
	install -D -m 644 driver/completions/agentsight.bash $(DESTDIR)$(BASHDIR)/agentsight
	for t in $(PUBLIC); do ln -sf agentsight $(DESTDIR)$(BASHDIR)/$$t; done
	install -D -m 644 driver/completions/_agentsight $(DESTDIR)$(ZSHDIR)/_agentsight
	install -D -m 644 driver/completions/agentsight.fish $(DESTDIR)$(FISHDIR)/agentsight.fish

# Continuous recording of chosen agents, by systemd; systemctl enable --now agentsight
install-service: install
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' driver/agentsight.service.in >$(DESTDIR)$(UNITDIR)/agentsight.service

uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(PUBLIC) agentsight)
	rm -f $(addprefix $(DESTDIR)$(BASHDIR)/,$(PUBLIC) agentsight) $(DESTDIR)$(ZSHDIR)/_agentsight
	rm -f $(DESTDIR)$(FISHDIR)/agentsight.fish $(DESTDIR)$(UNITDIR)/agentsight.service
	for m in man/*.[1-8]; do s=$${m##*.}; rm -f $(DESTDIR)$(MANDIR)/man$$s/$${m##*/}; done
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)

clean:
	rm -rf $(O)

-include $(shell find $(B) -path $(O)/kernels -prune -o -name '*.d' -print 2>/dev/null)
