package app

import (
	"cmp"
	"net"
	"strconv"
	"time"

	"github.com/zookit/zookit/client/admin"
)

// Admin returns the servers of the ensemble, each to be asked for itself how it is: with adminPort 0 by
// four-letter words on its client port, otherwise by its admin endpoint on that port. A question takes no longer than
// within.
func (e *Env) Admin(adminPort int, within time.Duration) ([]*admin.Server, error) {
	p, err := e.settings()
	if err != nil {
		return nil, err
	}
	opts := []admin.Option{admin.WithTimeout(within)}
	secure, err := p.tls()
	if err != nil {
		return nil, err
	}
	if secure != nil && adminPort == 0 {
		opts = append(opts, admin.WithTLS(secure))
	}
	servers, err := admin.NewServers(cmp.Or(p.Servers, DefaultServers), opts...)
	if err != nil {
		return nil, Usagef("%w", err)
	}
	if adminPort == 0 {
		return servers, nil
	}
	for i, s := range servers {
		host, _, err := net.SplitHostPort(s.Addr())
		if err == nil {
			url := "http://" + net.JoinHostPort(host, strconv.Itoa(adminPort))
			servers[i], err = admin.NewServer(s.Addr(), append(opts, admin.WithAdminURL(url))...)
		}
		if err != nil {
			return nil, Usagef("%w", err)
		}
	}
	return servers, nil
}
