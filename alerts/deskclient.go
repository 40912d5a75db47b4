package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"nirapod/safety"
)

const (
	deskTimeout = 10 * time.Second
	maxAnswer   = 64 << 10 // bytes
	maxSeen     = 4 << 20  // bytes
)

// deskClient files with DIFE's desk over HTTP.
type deskClient struct {
	url, token string
	client     *http.Client
}

// deskAnswer is what came of one attempt. err wraps safety.ErrInvalid or
// safety.ErrConflict if the desk refused, so that somebody has to mend something.
type deskAnswer struct {
	receipt safety.Receipt
	written bool // the whole request left this machine
	err     error
}

func newDeskClient(cfg Config) *deskClient {
	client := http.Client{Timeout: deskTimeout}
	if cfg.Client != nil {
		client = *cfg.Client
	}
	// The token is for the desk alone.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &deskClient{url: strings.TrimSuffix(cfg.DeskURL, "/"), token: cfg.DeskToken, client: &client}
}

// file posts the body of a signal or notice.
func (d *deskClient) file(ctx context.Context, kind string, body []byte) deskAnswer {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/"+kind+"s", bytes.NewReader(body))
	if err != nil {
		return deskAnswer{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return deskAnswer{written: written.Load(), err: err}
	}
	defer resp.Body.Close()
	receipt, err := readReceipt(resp)
	return deskAnswer{receipt: receipt, written: true, err: err}
}

// seen asks which filings officers have looked at since a position, and returns
// the position to go on from.
func (d *deskClient) seen(ctx context.Context, after int64) ([]safety.Seen, int64, error) {
	var page struct {
		Items []safety.Seen `json:"items"`
		After int64         `json:"after"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/v1/seen?after=%d", d.url, after), nil)
	if err != nil {
		return nil, after, err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, after, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSeen))
	if err != nil {
		return nil, after, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, after, fmt.Errorf("%s: %s", resp.Status, reason(text))
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, after, fmt.Errorf("desk's answer: %w", err)
	}
	return page.Items, page.After, nil
}

func readReceipt(resp *http.Response) (r safety.Receipt, err error) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return r, err
	}
	switch code := resp.StatusCode; {
	case code == http.StatusOK || code == http.StatusCreated:
		if err := json.Unmarshal(text, &r); err != nil {
			return r, fmt.Errorf("desk's answer: %w", err)
		}
		return r, nil
	case code == http.StatusConflict:
		return r, fmt.Errorf("%s: %s: %w", resp.Status, reason(text), safety.ErrConflict)
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return r, fmt.Errorf("%s: %s: %w", resp.Status, reason(text), safety.ErrInvalid)
	}
	return r, fmt.Errorf("%s: %s", resp.Status, reason(text))
}

// reason is why the desk did not give a receipt, in its words.
func reason(text []byte) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(text, &problem) == nil && problem.Detail != "" {
		return excerpt([]byte(problem.Detail))
	}
	return excerpt(text)
}

func excerpt(text []byte) string {
	return strings.ToValidUTF8(string(text[:min(len(text), 200)]), "?")
}
