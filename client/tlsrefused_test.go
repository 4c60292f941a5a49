package client_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// What a server refuses in the handshake, or with TLS 1.3 behind it, ends Connect at
// once, by name.
func TestTLSRefused(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cert, pool := certificate(t)
	mine, ours := certificate(t)
	theirs, _ := certificate(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		strict := &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours,
		}
		for name, tc := range map[string]struct {
			server, client *tls.Config
			says           string
		}{
			"no client certificate": {strict, &tls.Config{RootCAs: pool}, "certificate"},
			"unknown client certificate": {strict, &tls.Config{
				RootCAs:              pool,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &theirs, nil },
			}, "certificate"},
			"no common version": {
				&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version},
				&tls.Config{RootCAs: pool, MinVersion: version ^ tls.VersionTLS12 ^ tls.VersionTLS13, MaxVersion: version ^ tls.VersionTLS12 ^ tls.VersionTLS13}, "version",
			},
		} {
			t.Run(fmt.Sprintf("%s, %s", tls.VersionName(version), name), func(t *testing.T) {
				t.Parallel()
				addr := secureBy(t, srv, tc.server)
				start := time.Now()
				_, err := client.Connect(t.Context(), addr, client.WithTLS(tc.client), client.WithConnectTimeout(patience))
				require.ErrorIs(t, err, client.ErrTLS)
				require.ErrorContains(t, err, addr+": ")
				require.ErrorContains(t, err, tc.says)
				require.Less(t, time.Since(start), patience/2)
			})
		}
		t.Run(tls.VersionName(version)+", right", func(t *testing.T) {
			t.Parallel()
			require.NoError(t, connectTo(t, secureBy(t, srv, strict), client.WithTLS(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{mine}})).Close())
		})
	}
}

// One server that fails otherwise, or not at all, is enough to go on.
func TestTLSRefusedBySome(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cert, pool := certificate(t)
	other, _ := certificate(t)
	good, bad := secure(t, srv, cert), secure(t, srv, other)
	for range 8 { // in random order
		cl := connectTo(t, bad+","+good, client.WithTLS(&tls.Config{RootCAs: pool}))
		require.Equal(t, good, cl.State().Server)
		require.NoError(t, cl.Close())
	}
	for name, second := range map[string]string{"down": refusing(t), "without an address": "host.invalid:1"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			log := newLog()
			defer log.close()
			go func() {
				rounds := 0
				for r := range log.records {
					if r["server"] == bad {
						if rounds++; rounds == 2 { // all have been asked
							cancel()
						}
					}
				}
			}()
			_, err := client.Connect(ctx, bad+","+second, client.WithTLS(&tls.Config{RootCAs: pool}), client.WithConnectTimeout(patience), client.WithLogger(log.Logger))
			require.ErrorIs(t, err, client.ErrNotConnected)
			require.NotErrorIs(t, err, client.ErrTLS)
			require.ErrorContains(t, err, bad+": TLS: ")
		})
	}
}

// A client that has had a session outlives servers whose certificates are wrong for a while,
// and says so once for each time.
func TestTLSRefusedForAWhile(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cert, pool := certificate(t)
	other, _ := certificate(t)
	var shown atomic.Pointer[tls.Certificate]
	shown.Store(&cert)
	addr := secureBy(t, srv, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return shown.Load(), nil },
	})
	log := newLog()
	cl := connectTo(t, addr, client.WithTLS(&tls.Config{RootCAs: pool}), client.WithLogger(log.Logger))
	st := follow(t, cl)
	st.next(client.Connected)
	for range 2 {
		shown.Store(&other)
		cut(t, srv, st)
		warned, failures := 0, 0
		for failures < 3 { // whole rounds
			r, _ := receive(t, log.records)
			switch r["msg"] {
			case "zookeeper server not usable":
				failures++
			case "zookeeper servers not usable by TLS":
				warned++
				require.Equal(t, slog.LevelWarn, r["level"])
				require.ErrorContains(t, r["err"].(error), "failed to verify certificate")
			}
		}
		require.Equal(t, 1, warned)
		shown.Store(&cert)
		st.next(client.Connected)
	}
}
