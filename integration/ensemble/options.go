package ensemble

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxServers is as many as one block of ports can hold.
const maxServers = 5

// minDisk is a disk on which a server can start.
const minDisk = 1 << 20

// Option changes how Start and Open set up an ensemble.
type Option func(*options)

type options struct {
	provider string
	spec     spec
}

// WithProvider forces a provider: "containers", "jvm" or "external". It goes
// before ZOOKIT_TEST_PROVIDER.
func WithProvider(name string) Option {
	return func(o *options) { o.provider = name }
}

// WithTickTime sets the servers' tickTime, by default 500 ms.
func WithTickTime(d time.Duration) Option {
	return func(o *options) {
		o.spec.tickTime = d
		o.asked("tickTime")
	}
}

// WithSyncLimit sets syncLimit, by default 4: a server that hears nothing from the
// leader for that many ticks stops serving.
func WithSyncLimit(n int) Option {
	return func(o *options) {
		o.spec.syncLimit = n
		o.asked("syncLimit")
	}
}

// WithInitLimit sets initLimit, by default 10.
func WithInitLimit(n int) Option {
	return func(o *options) {
		o.spec.initLimit = n
		o.asked("initLimit")
	}
}

// WithSessionTimeouts sets the shortest and the longest session timeout that the
// servers grant, by default 1 s and 60 s.
func WithSessionTimeouts(shortest, longest time.Duration) Option {
	return func(o *options) {
		o.spec.minSession, o.spec.maxSession = shortest, longest
		o.asked("minSessionTimeout", "maxSessionTimeout")
	}
}

// WithConfig adds a line to zoo.cfg, or replaces one of the defaults. Folders,
// ports and the list of servers belong to the ensemble and cannot be set.
func WithConfig(key, value string) Option {
	return func(o *options) {
		if o.spec.config == nil {
			o.spec.config = map[string]string{}
		}
		o.spec.config[key] = value
		o.asked(key)
	}
}

// FilesDir stands for the folder that holds what [WithFile] adds, in values of
// [WithConfig] and in [WithJVMFlags]: it is another one with each provider.
const FilesDir = "{files}"

// WithFile gives every server a file of this name and content, at [FilesDir]/name;
// it is there before the server starts, also after [Ensemble.Wipe].
func WithFile(name string, content []byte) Option {
	return func(o *options) {
		if o.spec.files == nil {
			o.spec.files = map[string][]byte{}
		}
		o.spec.files[name] = slices.Clone(content)
		o.asked("file " + name)
	}
}

// WithJVMFlags adds arguments for the servers' Java, such as a system property
// that cannot be set in zoo.cfg. They come after the ensemble's own and win.
func WithJVMFlags(flags ...string) Option {
	return func(o *options) {
		o.spec.jvmFlags = append(o.spec.jvmFlags, flags...)
		for _, flag := range flags {
			o.asked(flag)
		}
	}
}

// WithPeerCuts makes an ensemble whose servers can be cut off from each other
// while their clients go on reaching them: see [Server.CutPeers]. Local
// processes need root and network namespaces for it, so Linux.
func WithPeerCuts() Option {
	return func(o *options) {
		o.spec.peerCuts = true
		o.asked("peer cuts")
	}
}

// WithDisks gives each server's data a file system of its own, of so many bytes in memory, which can be
// made full: see [Server.FillDisk]. Only local processes can have it, with root, on Linux; other
// providers fail with [ErrNoDisks].
func WithDisks(size int64) Option {
	return func(o *options) {
		o.spec.disk = size
		o.asked("disks")
	}
}

func (o *options) asked(what ...string) {
	for _, name := range what {
		if !slices.Contains(o.spec.explicit, name) {
			o.spec.explicit = append(o.spec.explicit, name)
		}
	}
}

// newOptions applies opts to the defaults and checks the result.
func newOptions(servers int, opts []Option) (*options, error) {
	o := &options{spec: spec{
		servers:    servers,
		tickTime:   500 * time.Millisecond,
		initLimit:  10,
		syncLimit:  4,
		minSession: time.Second,
		maxSession: time.Minute,
	}}
	for _, opt := range opts {
		opt(o)
	}
	if err := o.spec.check(); err != nil {
		return nil, err
	}
	return o, nil
}

func (s spec) check() error {
	if s.servers < 1 || s.servers > maxServers {
		return fmt.Errorf("ensemble: %d servers asked for: give 1 to %d", s.servers, maxServers)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"tickTime", s.tickTime},
		{"minSessionTimeout", s.minSession},
		{"maxSessionTimeout", s.maxSession},
	} {
		if d.value < time.Millisecond || d.value%time.Millisecond != 0 {
			return fmt.Errorf("ensemble: %s is %v: give whole milliseconds, at least one", d.name, d.value)
		}
	}
	if s.initLimit < 1 || s.syncLimit < 1 {
		return fmt.Errorf("ensemble: initLimit is %d and syncLimit is %d: both must be at least 1", s.initLimit, s.syncLimit)
	}
	if s.minSession > s.maxSession {
		return fmt.Errorf("ensemble: the shortest session timeout, %v, is longer than the longest, %v", s.minSession, s.maxSession)
	}
	if s.disk < 0 || s.disk > 0 && s.disk < minDisk {
		return fmt.Errorf("ensemble: disks of %d bytes: give at least %d", s.disk, minDisk)
	}
	for _, key := range slices.Sorted(maps.Keys(s.config)) {
		if err := checkLine(key, s.config[key]); err != nil {
			return err
		}
	}
	for _, flag := range s.jvmFlags {
		// The images take all flags in one variable, split at spaces.
		if !strings.HasPrefix(flag, "-") || strings.ContainsAny(flag, " \t\r\n") {
			return fmt.Errorf("ensemble: %q is no argument for Java: it begins with - and has no spaces", flag)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if name == "" || name[0] == '.' || strings.ContainsAny(name, "/\\ \t\r\n") {
			return fmt.Errorf("ensemble: %q is no name for a file: it has no folder and no spaces, and does not begin with a dot", name)
		}
	}
	return nil
}

// checkLine refuses what would break zoo.cfg or take the ensemble's own settings away.
func checkLine(key, value string) error {
	owned := []string{"dataDir", "dataLogDir", "clientPort", "clientPortAddress", "secureClientPort", "secureClientPortAddress", "dynamicConfigFile"}
	switch {
	case key == "" || strings.ContainsAny(key, "=: \t\r\n\\#!"):
		return fmt.Errorf("ensemble: %q is no key of zoo.cfg", key)
	case strings.ContainsAny(value, "\r\n"):
		return fmt.Errorf("ensemble: the value of %s, %q, has more than one line", key, value)
	case slices.Contains(owned, key) || strings.HasPrefix(key, "server."):
		return fmt.Errorf("ensemble: %s belongs to the ensemble and cannot be set", key)
	}
	return nil
}
