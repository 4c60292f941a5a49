// Package app is what the commands of the tool have in common: settings, the connection, output and exit statuses.
package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/recipes"
)

// DefaultServers is where an ensemble is looked for if nobody says where.
const DefaultServers = "127.0.0.1:2181"

// Env is what a command runs in.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// Getenv reads the environment.
	Getenv func(string) string

	// What the flags say; empty: nothing.
	servers, profile, config, layout, format string
	auth                                     []string
	sasl, ca, cert, key, serverName          string
	sessionTimeout, connectTimeout           time.Duration
	verbose                                  bool
	settled                                  *Profile
	outer                                    *Profile       // of the shell, whose command this is for
	shared                                   *client.Client // likewise
}

// New returns an environment on the given streams.
func New(in io.Reader, out, err io.Writer, getenv func(string) string) *Env {
	return &Env{In: in, Out: out, Err: err, Getenv: getenv}
}

// Flags adds the flags that every command has.
func (e *Env) Flags(f *pflag.FlagSet) {
	f.StringVarP(&e.servers, "servers", "s", "", "ensemble, host:port,host:port/chroot ($ZOOKIT_SERVERS; default "+DefaultServers+")")
	f.StringVar(&e.profile, "profile", "", "profile of the configuration file ($ZOOKIT_PROFILE)")
	f.StringVar(&e.config, "config", "", "configuration file ($ZOOKIT_CONFIG; default zookit/config.yaml in the user's configuration folder)")
	e.FormFlags(f)
	f.StringArrayVar(&e.auth, "auth", nil, "credential, scheme:credential, for example digest:user:password; may be repeated. Others on this machine see it: rather set $ZOOKIT_AUTH, or a profile")
	f.StringVar(&e.sasl, "sasl", "", "login by SASL DIGEST-MD5, user:password ($ZOOKIT_SASL)")
	f.StringVar(&e.ca, "tls-ca", "", "file of the authorities that servers' certificates are checked against; connect by TLS ($ZOOKIT_TLS_CA)")
	f.StringVar(&e.cert, "tls-cert", "", "file of the client's certificate ($ZOOKIT_TLS_CERT)")
	f.StringVar(&e.key, "tls-key", "", "file of the client's key ($ZOOKIT_TLS_KEY)")
	f.StringVar(&e.serverName, "tls-server-name", "", "name that servers' certificates are to have, in place of their host names ($ZOOKIT_TLS_SERVER_NAME)")
	f.DurationVar(&e.sessionTimeout, "session-timeout", 0, "session timeout to ask for (default 10s)")
	f.DurationVar(&e.connectTimeout, "connect-timeout", 0, "how long to try to connect (default 5s)")
	f.BoolVarP(&e.verbose, "verbose", "v", false, "tell on standard error what the client does")
}

// FormFlags adds those of them that have nothing to do with the connection.
func (e *Env) FormFlags(f *pflag.FlagSet) {
	f.StringVarP(&e.format, "output", "o", "", "form of what is printed: table, json, yaml or raw ($ZOOKIT_OUTPUT; default table)")
	f.StringVar(&e.layout, "layout", "", "whose znodes recipes use: curator or kazoo ($ZOOKIT_LAYOUT; default curator)")
}

// settings are flags, then the environment, then the profile, then defaults; in a shell flags, then the shell's.
func (e *Env) settings() (*Profile, error) {
	if e.settled != nil {
		return e.settled, nil
	}
	if e.outer != nil {
		p := *e.outer
		p.Output, p.Layout = cmp.Or(e.format, p.Output), cmp.Or(e.layout, p.Layout)
		e.settled = &p
		return e.settled, nil
	}
	p, err := loadProfile(cmp.Or(e.config, e.Getenv("ZOOKIT_CONFIG")), cmp.Or(e.profile, e.Getenv("ZOOKIT_PROFILE")))
	if err != nil {
		return nil, err
	}
	set := func(to *string, flag, name, otherwise string) {
		*to = cmp.Or(flag, e.Getenv(name), *to, otherwise)
	}
	set(&p.Servers, e.servers, "ZOOKIT_SERVERS", "")
	set(&p.Output, e.format, "ZOOKIT_OUTPUT", "table")
	set(&p.Layout, e.layout, "ZOOKIT_LAYOUT", "curator")
	set(&p.SASL, e.sasl, "ZOOKIT_SASL", "")
	set(&p.TLS.CA, e.ca, "ZOOKIT_TLS_CA", "")
	set(&p.TLS.Cert, e.cert, "ZOOKIT_TLS_CERT", "")
	set(&p.TLS.Key, e.key, "ZOOKIT_TLS_KEY", "")
	set(&p.TLS.ServerName, e.serverName, "ZOOKIT_TLS_SERVER_NAME", "")
	if auth := e.Getenv("ZOOKIT_AUTH"); auth != "" {
		p.Auth = strings.Split(auth, ",")
	}
	if len(e.auth) > 0 {
		p.Auth = e.auth
	}
	p.SessionTimeout = cmp.Or(e.sessionTimeout, p.SessionTimeout, 10*time.Second)
	p.ConnectTimeout = cmp.Or(e.connectTimeout, p.ConnectTimeout, 5*time.Second)
	e.settled = &p
	return e.settled, nil
}

// Layout is whose znodes recipes use.
func (e *Env) Layout() (recipes.Layout, error) {
	p, err := e.settings()
	if err != nil {
		return 0, err
	}
	switch p.Layout {
	case "curator":
		return recipes.Curator, nil
	case "kazoo":
		return recipes.Kazoo, nil
	}
	return 0, Usagef("layout %s: give curator or kazoo", p.Layout)
}

// Printer prints in the form that was asked for.
func (e *Env) Printer() (*output.Printer, error) {
	p, err := e.settings()
	if err != nil {
		return nil, err
	}
	printer, err := output.New(e.Out, p.Output)
	if err != nil {
		return nil, &Exit{Code: ExitUsage, Err: err}
	}
	return printer, nil
}

// Say tells a person something that is no data.
func (e *Env) Say(format string, args ...any) { fmt.Fprintf(e.Err, "zookit: "+format+"\n", args...) }

// Connect opens a client by the settings. The caller calls close when it is done.
func (e *Env) Connect(ctx context.Context, more ...client.Option) (cl *client.Client, done func(), err error) {
	if e.shared != nil {
		return e.shared, func() {}, nil
	}
	p, err := e.settings()
	if err != nil {
		return nil, nil, err
	}
	opts, err := e.options(p)
	if err != nil {
		return nil, nil, err
	}
	servers := cmp.Or(p.Servers, DefaultServers)
	cl, err = client.Connect(ctx, servers, append(opts, more...)...)
	if errors.Is(err, client.ErrNotConnected) && p.Servers == "" {
		err = fmt.Errorf("%w\nNo ensemble was named, and none is at %s: name one by --servers or ZOOKIT_SERVERS, or start one for trials with: zookit dev", err, DefaultServers)
	}
	if err != nil {
		return nil, nil, err
	}
	return cl, func() { _ = cl.Close() }, nil
}

// Shared tells whether the client outlives the command: in a shell.
func (e *Env) Shared() bool { return e.shared != nil }

// Terminal tells whether a person reads what is printed.
func (e *Env) Terminal() bool {
	f, ok := e.Out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ConnectTo is Connect to another ensemble, with the same settings otherwise.
func (e *Env) ConnectTo(ctx context.Context, servers string) (cl *client.Client, done func(), err error) {
	p, err := e.settings()
	if err != nil {
		return nil, nil, err
	}
	opts, err := e.options(p)
	if err != nil {
		return nil, nil, err
	}
	if cl, err = client.Connect(ctx, servers, opts...); err != nil {
		return nil, nil, err
	}
	return cl, func() { _ = cl.Close() }, nil
}

// Inside returns the environment of one command of a shell: it uses the shell's client, which it does not close, and the
// settings of the shell where no flag of its own says otherwise.
func (e *Env) Inside(cl *client.Client) (*Env, error) {
	p, err := e.settings()
	if err != nil {
		return nil, err
	}
	return &Env{In: e.In, Out: e.Out, Err: e.Err, Getenv: e.Getenv, outer: p, shared: cl}, nil
}

func (e *Env) options(p *Profile) ([]client.Option, error) {
	opts := []client.Option{client.WithSessionTimeout(p.SessionTimeout), client.WithConnectTimeout(p.ConnectTimeout)}
	for _, auth := range p.Auth {
		scheme, credential, ok := strings.Cut(auth, ":")
		if !ok {
			return nil, Usagef("credential: it has no scheme: give scheme:credential, for example digest:user:password")
		}
		opts = append(opts, client.WithAuth(scheme, credential))
	}
	if p.SASL != "" {
		user, password, ok := strings.Cut(p.SASL, ":")
		if !ok {
			return nil, Usagef("SASL login: give user:password")
		}
		opts = append(opts, client.WithSASLDigest(user, password))
	}
	secure, err := p.tls()
	if err != nil {
		return nil, err
	}
	if secure != nil {
		opts = append(opts, client.WithTLS(secure))
	}
	if e.verbose {
		opts = append(opts, client.WithLogger(slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	return opts, nil
}

// tls is nil if the ensemble is not reached by TLS.
func (p *Profile) tls() (*tls.Config, error) {
	t := p.TLS
	if t.CA == "" && t.Cert == "" && t.Key == "" && t.ServerName == "" {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, Usagef("TLS: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, Usagef("TLS: there is no certificate in %s", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, Usagef("TLS: a client's certificate and its key are given together")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, Usagef("TLS: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
