package discovery

import (
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
)

// Provider picks instances of a service to use, one at a time: Curator's ServiceProvider. Instances that are disabled
// are not picked, nor for a while those that have failed. It works on a [Service], which it does not close. Safe for
// concurrent use; it need not be closed.
type Provider struct {
	s      *Service
	filter func(Instance) bool
	errors int
	pause  time.Duration

	mu      sync.Mutex
	chooser chooser
	health  map[int64]*health // by the instance's key
}

// health is what a provider knows of an instance.
type health struct {
	used   int
	failed []time.Time // the newest errors since the latest success, oldest first
	until  time.Time   // it is out of service
}

// ProviderOption changes how a [Provider] works. One that cannot be is an error of [Service.Provider].
type ProviderOption func(*Provider) error

// The defaults of [WithDownPolicy], as Curator's.
const (
	DefaultDownErrors = 2
	DefaultDownTime   = 30 * time.Second
)

// WithDownPolicy takes an instance out for d after so many errors ([Pick.Done]) within d without a success in between. Default:
// [DefaultDownErrors] and [DefaultDownTime]. Both have to be positive.
func WithDownPolicy(errors int, d time.Duration) ProviderOption {
	return func(p *Provider) error {
		if errors < 1 || d <= 0 {
			return fmt.Errorf("%w: down after %d errors for %v: both have to be positive", client.ErrBadArgument, errors, d)
		}
		p.errors, p.pause = errors, d
		return nil
	}
}

// WithFilter picks only instances for which f returns true. It is called for each instance and each pick, on the
// caller's goroutine, and must be safe for concurrent use.
func WithFilter(f func(Instance) bool) ProviderOption {
	return func(p *Provider) error {
		if f == nil {
			return fmt.Errorf("%w: the filter is nil", client.ErrBadArgument)
		}
		p.filter = f
		return nil
	}
}

// Provider returns a provider of the service's instances. Errors: client.ErrBadArgument.
func (s *Service) Provider(strategy Strategy, opts ...ProviderOption) (*Provider, error) {
	p := &Provider{s: s, errors: DefaultDownErrors, pause: DefaultDownTime, chooser: strategy.new(), health: map[int64]*health{}}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("provider of %s: %w: option %d is nil", s.name, client.ErrBadArgument, i)
		}
		if err := opt(p); err != nil {
			return nil, fmt.Errorf("provider of %s: %w", s.name, err)
		}
	}
	return p, nil
}

// Pick is an instance that was picked, to be used once.
type Pick struct {
	Instance

	p    *Provider
	key  int64
	once sync.Once
}

// Done says that the use has ended, with an error that is the instance's fault or with nil. Every pick has to be
// done for [LeastUsed] to know what is used; the others need only know of errors. Only the first call counts.
func (k *Pick) Done(err error) { k.once.Do(func() { k.p.done(k.key, err) }) }

// Pick picks an instance, from memory. Errors: [ErrNoInstance].
func (p *Provider) Pick() (*Pick, error) {
	v := p.s.look()
	candidates := make([]candidate, 0, len(v.entries))
	unfit := 0
	for _, e := range v.entries {
		if e.instance.Disabled || p.filter != nil && !p.filter(e.instance) {
			unfit++
			continue
		}
		candidates = append(candidates, candidate{entry: e})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(v)
	now, up := time.Now(), candidates[:0]
	for _, c := range candidates {
		h := p.health[c.key()]
		if h != nil && now.Before(h.until) {
			continue
		}
		if h != nil {
			c.used = h.used
		}
		up = append(up, c)
	}
	if len(up) == 0 {
		return nil, fmt.Errorf("%w of %s: of %d registered %d are disabled or filtered out, %d taken out after errors, and %d cannot be read",
			ErrNoInstance, p.s.name, len(v.known), unfit, len(candidates), len(v.rejected))
	}
	c := up[p.chooser.choose(up)]
	p.of(c.key()).used++
	return &Pick{Instance: c.instance, p: p, key: c.key()}, nil
}

func (p *Provider) of(key int64) *health {
	h := p.health[key]
	if h == nil {
		h = &health{}
		p.health[key] = h
	}
	return h
}

// forget drops what is known of instances that have gone. One that is registered again is another one.
func (p *Provider) forget(v *view) {
	if len(p.health) <= 2*len(v.entries) {
		return
	}
	there := make(map[int64]bool, len(v.entries))
	for _, e := range v.entries {
		there[e.key()] = true
	}
	for key := range p.health {
		if !there[key] {
			delete(p.health, key)
		}
	}
}

func (p *Provider) done(key int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.health[key]
	if h == nil {
		return // it has gone
	}
	h.used--
	if err == nil {
		h.failed = nil
		return
	}
	now := time.Now()
	for len(h.failed) > 0 && now.Sub(h.failed[0]) > p.pause {
		h.failed = h.failed[1:]
	}
	if h.failed = append(h.failed, now); len(h.failed) >= p.errors {
		h.failed, h.until = nil, now.Add(p.pause)
	}
}
