package otel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// spanned is something that has ended and becomes a span.
type spanned struct {
	ctx   context.Context
	name  string
	kind  trace.SpanKind
	start time.Time
	took  time.Duration
	path  string
	err   error
}

func (h *Hooks) span(s spanned, attrs []attribute.KeyValue) {
	if h.paths && s.path != "" {
		attrs = append(attrs, attribute.String("zookit.path", s.path))
	}
	_, span := h.tracer.Start(s.ctx, s.name, trace.WithSpanKind(s.kind), trace.WithTimestamp(s.start), trace.WithAttributes(attrs...))
	if s.err != nil {
		text := errorName(s.err)
		if h.paths {
			text = s.err.Error()
		}
		span.SetStatus(codes.Error, text)
	}
	span.End(trace.WithTimestamp(s.start.Add(s.took)))
}

func session(id int64) attribute.KeyValue {
	return attribute.String("zookit.session", fmt.Sprintf("0x%x", uint64(id)))
}

// server is an address as attributes; none if there is none.
func server(address string) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if address == "" {
			return nil
		}
		return []attribute.KeyValue{semconv.ServerAddress(address)}
	}
	out := []attribute.KeyValue{semconv.ServerAddress(host)}
	if n, err := strconv.Atoi(port); err == nil {
		out = append(out, semconv.ServerPort(n))
	}
	return out
}

func errorType(err error) attribute.KeyValue { return semconv.ErrorTypeKey.String(errorName(err)) }

// errorNames are tried in this order: what ended the call comes before what it met on
// the way.
var errorNames = []struct {
	err  error
	name string
}{
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{client.ErrClosed, "closed"},
	{client.ErrAuthFailed, "auth_failed"},
	{client.ErrSessionLost, "session_lost"},
	{client.ErrConnectionLost, "connection_lost"},
	{client.ErrNoNode, "no_node"},
	{client.ErrNodeExists, "node_exists"},
	{client.ErrBadVersion, "bad_version"},
	{client.ErrNotEmpty, "not_empty"},
	{client.ErrNoChildrenForEphemerals, "no_children_for_ephemerals"},
	{client.ErrNoAuth, "no_auth"},
	{client.ErrInvalidACL, "invalid_acl"},
	{client.ErrReadOnly, "read_only"},
	{client.ErrUnimplemented, "unimplemented"},
	{client.ErrQuotaExceeded, "quota_exceeded"},
	{client.ErrThrottled, "throttled"},
	{client.ErrNotConnected, "not_connected"},
	{client.ErrReplyTooLarge, "reply_too_large"},
	{client.ErrTooLarge, "too_large"},
	{client.ErrBadPath, "bad_path"},
	{client.ErrBadArgument, "bad_argument"},
	{recipes.ErrBusy, "busy"},
	{recipes.ErrLayoutConflict, "layout_conflict"},
}

// errorName is one of few names for an error.
func errorName(err error) string {
	for _, known := range errorNames {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	if code, ok := errors.AsType[client.ServerError](err); ok {
		return fmt.Sprintf("server_error_%d", int32(code))
	}
	return semconv.ErrorTypeOther.Value.AsString()
}
