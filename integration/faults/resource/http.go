package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Handler serves a resource to other processes, in any language:
//
//	POST /read   {"token":5}                                               200 {"version":3}
//	POST /write  {"client":"c1","acquire":7,"token":5,"base":3}            200 {}
//
// A stale token is answered with 409, and what cannot be read with 400.
func Handler(r Resource) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /read", func(w http.ResponseWriter, req *http.Request) {
		var args readArgs
		if !receive(w, req, &args) {
			return
		}
		version, err := r.Read(req.Context(), args.Token)
		answer(w, readResult{version}, err)
	})
	mux.HandleFunc("POST /write", func(w http.ResponseWriter, req *http.Request) {
		var args Write
		if receive(w, req, &args) {
			answer(w, struct{}{}, r.Write(req.Context(), args))
		}
	})
	return mux
}

type readArgs struct {
	Token int64 `json:"token"`
}

type readResult struct {
	Version int64 `json:"version"`
}

const maxBody = 1 << 16

func receive(w http.ResponseWriter, req *http.Request, v any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody)).Decode(v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, v any, err error) {
	switch {
	case errors.Is(err, ErrStale):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		_ = json.NewEncoder(w).Encode(v)
	}
}

// Remote is a resource that [Handler] serves in another process.
type Remote struct {
	url string
}

// NewRemote returns the resource at a URL, such as "http://127.0.0.1:8080".
func NewRemote(url string) *Remote { return &Remote{url: url} }

// Read implements Resource.
func (r *Remote) Read(ctx context.Context, token int64) (int64, error) {
	var result readResult
	err := r.call(ctx, "/read", readArgs{token}, &result)
	return result.Version, err
}

// Write implements Resource.
func (r *Remote) Write(ctx context.Context, w Write) error {
	return r.call(ctx, "/write", w, nil)
}

func (r *Remote) call(ctx context.Context, path string, args, result any) error {
	body, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("resource %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("resource %s: %w", path, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("resource: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return fmt.Errorf("resource %s: %w", path, err)
	case resp.StatusCode == http.StatusConflict:
		return ErrStale
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("resource %s: %s: %s", path, resp.Status, bytes.TrimSpace(text))
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("resource %s: %w", path, err)
	}
	return nil
}
