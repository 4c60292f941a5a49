package ensemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// jvm runs servers as local Java processes.
type jvm struct{}

const (
	serverClass = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

	// probedClass writes a line for every probe, at a level that is not wanted.
	probedClass = "org.apache.zookeeper.server.NIOServerCnxn"
)

func (jvm) name() string { return "jvm" }

func (jvm) available(context.Context) error {
	_, javaErr := findJava()
	_, jarsErr := findJars()
	return errors.Join(javaErr, jarsErr)
}

func (jvm) start(ctx context.Context, s spec) (cluster, error) {
	c, err := newProcesses(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, n := range c.servers {
		if err := n.start(ctx); err != nil {
			return nil, errors.Join(err, c.close(context.WithoutCancel(ctx)))
		}
	}
	return c, nil
}

// processes is a cluster of local Java processes.
type processes struct {
	tether  *tether
	wiring  wiring
	servers []*jvmNode
	closed  bool
}

func newProcesses(ctx context.Context, s spec) (*processes, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	jars, err := findJars()
	if err != nil {
		return nil, err
	}
	logging, err := writeLogging(s.dir)
	if err != nil {
		return nil, err
	}
	files, err := writeFiles(s)
	if err != nil {
		return nil, err
	}
	s = s.inFolder(files)
	c := &processes{tether: newTether()}
	if s.peerCuts {
		c.wiring, err = layNamespaces(ctx, s.servers, c.tether)
	} else {
		c.wiring, err = layLoopback(s.servers)
	}
	if err != nil {
		c.tether.close()
		return nil, err
	}
	command := slices.Concat([]string{java}, heapFlags, []string{
		containerCheck,
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-Dorg.slf4j.simpleLogger.log." + probedClass + "=warn",
	}, s.jvmFlags, []string{
		"-cp", strings.Join(slices.Concat([]string{logging}, jars), string(os.PathListSeparator)),
		serverClass,
	})
	var members []string
	for i := range s.servers {
		members = append(members, c.wiring.place(i).line(i+1))
	}
	for i := range s.servers {
		n := &jvmNode{
			id:       i + 1,
			place:    c.wiring.place(i),
			dir:      filepath.Join(s.dir, "server-"+strconv.Itoa(i+1)),
			command:  command,
			settings: s.settings(),
			tls:      s.tls,
			members:  members,
			tether:   c.tether,
		}
		if s.disk > 0 {
			if n.disk, err = layDisk(ctx, filepath.Join(n.dir, "disk"), s.disk, c.tether); err != nil {
				return nil, errors.Join(err, c.close(context.WithoutCancel(ctx)))
			}
		}
		c.servers = append(c.servers, n)
	}
	return c, nil
}

func (c *processes) nodes() []node {
	all := make([]node, 0, len(c.servers))
	for _, n := range c.servers {
		all = append(all, n)
	}
	return all
}

func (c *processes) close(ctx context.Context) error {
	if c.closed {
		return nil
	}
	c.closed = true
	var errs []error
	for _, n := range c.servers {
		errs = append(errs, n.kill(ctx))
		if n.disk != nil {
			errs = append(errs, n.disk.close(ctx))
		}
	}
	errs = append(errs, c.wiring.close(ctx))
	c.tether.close()
	return errors.Join(errs...)
}

// jvmNode is one local Java process, or the place where one has been.
type jvmNode struct {
	id       int
	place    place
	dir      string
	command  []string
	settings map[string]string
	tls      bool
	members  []string
	tether   *tether
	disk     *disk // nil if its data is on that of everybody

	running atomic.Pointer[child] // nil before the first start and after kill
}

func (n *jvmNode) addr() string                        { return n.place.clientAddr() }
func (n *jvmNode) cutPeers(ctx context.Context) error  { return n.place.cut(ctx) }
func (n *jvmNode) healPeers(ctx context.Context) error { return n.place.heal(ctx) }

func (n *jvmNode) secureAddr() string {
	if !n.tls {
		return ""
	}
	return n.place.secureAddr()
}

func (n *jvmNode) configFile() string { return filepath.Join(n.dir, "zoo.cfg") }
func (n *jvmNode) logFile() string    { return filepath.Join(n.dir, "log") }

// dataDir is where the server finds its data, and data where we do.
func (n *jvmNode) dataDir() string {
	if n.disk != nil {
		return filepath.Join(n.disk.dir, "data")
	}
	return filepath.Join(n.dir, "data")
}

func (n *jvmNode) data() string { return n.disk.outside(n.dataDir()) }

func (n *jvmNode) fillDisk(context.Context) error { return n.disk.fill() }
func (n *jvmNode) freeDisk(context.Context) error { return n.disk.free() }

func (n *jvmNode) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if p := n.running.Load(); p != nil {
		if _, gone := p.ended(); !gone {
			return fmt.Errorf("server %d runs already, as process %d", n.id, p.pid())
		}
	}
	if err := n.prepare(); err != nil {
		return fmt.Errorf("folder of server %d: %w", n.id, err)
	}
	log, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log of server %d: %w", n.id, err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	line := slices.Concat(n.place.enter, n.disk.enter(n.dir), n.command, []string{n.configFile()})
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.dir, log, log
	p, err := startChild(n.tether, cmd)
	if err != nil {
		return err
	}
	n.running.Store(p)
	return nil
}

// prepare writes what the server needs to start, unless it is there: a server
// rewrites zoo.cfg itself when the ensemble is reconfigured.
func (n *jvmNode) prepare() error {
	if err := os.MkdirAll(n.data(), 0o700); err != nil {
		return err
	}
	myid := filepath.Join(n.data(), "myid")
	if err := os.WriteFile(myid, []byte(strconv.Itoa(n.id)+"\n"), 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(n.configFile()); err == nil {
		return nil
	}
	return os.WriteFile(n.configFile(), []byte(n.config()), 0o600)
}

func (n *jvmNode) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dataDir=%s\n", escape(n.dataDir()))
	for _, key := range slices.Sorted(maps.Keys(n.settings)) {
		fmt.Fprintf(&b, "%s=%s\n", key, escape(n.settings[key]))
	}
	if n.tls {
		fmt.Fprintf(&b, "secureClientPortAddress=%s\nsecureClientPort=%d\n", n.place.clientHost, n.place.securePort)
	}
	if len(n.members) == 1 {
		fmt.Fprintf(&b, "clientPortAddress=%s\nclientPort=%d\n", n.place.clientHost, n.place.clientPort)
		return b.String()
	}
	for _, line := range n.members {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// escape writes a value for a Java properties file.
func escape(value string) string { return strings.ReplaceAll(value, `\`, `\\`) }

func (n *jvmNode) kill(ctx context.Context) error {
	p := n.running.Load()
	if p == nil {
		return nil
	}
	if err := p.kill(ctx); err != nil {
		return err
	}
	n.running.Store(nil)
	return nil
}

func (n *jvmNode) pause(ctx context.Context) error {
	p := n.running.Load()
	if p == nil {
		return errNotRunning
	}
	return p.pause(ctx)
}

func (n *jvmNode) resume(context.Context) error {
	p := n.running.Load()
	if p == nil {
		return errNotRunning
	}
	return p.resume()
}

func (n *jvmNode) wipe(context.Context) error {
	if n.running.Load() != nil {
		return errors.New("the data of a running server cannot be removed: kill it first")
	}
	// Its settings too, which name other members after a reconfiguration.
	files, err := filepath.Glob(n.configFile() + "*")
	for _, path := range append(files, n.data()) {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// died tells why a server that was not killed has ended.
func (n *jvmNode) died() error {
	p := n.running.Load()
	if p == nil {
		return nil
	}
	how, gone := p.ended()
	if !gone {
		return nil
	}
	log := n.logs(context.Background())
	if strings.Contains(log, "java.net.BindException") {
		return fmt.Errorf("%w: %s is in use (%s)", errPortTaken, n.addr(), how)
	}
	return fmt.Errorf("the server has ended by itself (%s); its last lines:\n%s", how, lastLines(log, 15))
}

// logs returns at most the last megabyte.
func (n *jvmNode) logs(context.Context) string {
	const most = 1 << 20
	f, err := os.Open(n.logFile())
	if err != nil {
		return fmt.Sprintf("no log: %v\n", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return fmt.Sprintf("no log: %v\n", err)
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return fmt.Sprintf("%s\nthe log cannot be read further: %v\n", text, err)
	}
	return string(text)
}

// lastLines returns the end of a text.
func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}

// writeFiles writes the files that the caller adds, once for all servers.
func writeFiles(s spec) (string, error) {
	folder := filepath.Join(s.dir, "files")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	for name, content := range s.files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// writeLogging writes settings for the logging libraries that ZooKeeper's own
// distributions contain. Debian's jars log with slf4j-simple, which needs none.
func writeLogging(dir string) (string, error) {
	folder := filepath.Join(dir, "logging")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"logback.xml": `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} [%t] %p %c{1} - %m%n</pattern></encoder>
  </appender>
  <logger name="` + probedClass + `" level="WARN"/>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
`,
		"log4j.properties": `log4j.rootLogger=INFO, out
log4j.logger.` + probedClass + `=WARN
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss.SSS} [%t] %p %c{1} - %m%n
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}
