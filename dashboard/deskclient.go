package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
)

const (
	deskTimeout   = 5 * time.Second // an officer waits for it
	maxDeskAnswer = 16 << 20        // bytes
)

// errNoDesk is what an officer reads when the desk gives no answer.
var errNoDesk = refuse(fiber.StatusBadGateway,
	"ডাইফের ডেস্ক সাড়া দিচ্ছে না: এই তালিকা এখন জানা নেই, খালি নয়। আবার চেষ্টা করুন; দরকারে ফোন করুন। · "+
		"DIFE's desk does not answer: the list is not known now, which does not mean that it is empty. Try again; telephone if need be.")

// deskClient asks DIFE's desk over HTTP, as a program of many officers.
type deskClient struct {
	url, token string
	client     http.Client
	away       atomic.Bool // it did not answer last time
}

// question is one request about the cases of one office.
type question struct {
	method, path string
	office       string
	query        url.Values
	body         any // nil: none
}

func newDeskClient(cfg Config) *deskClient {
	return &deskClient{url: strings.TrimSuffix(cfg.DeskURL, "/"), token: cfg.DeskToken, client: http.Client{
		Timeout: deskTimeout,
		// The token is for the desk alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ask reads the desk's answer. The error wraps safety.ErrNotFound,
// safety.ErrConflict or safety.ErrInvalid where the desk said so, and else errNoDesk.
func (d *deskClient) ask(ctx context.Context, q question, answer any) error {
	if q.office == "" {
		return fmt.Errorf("an officer without an office reads no cases: %w", safety.ErrForbidden)
	}
	if d.url == "" {
		return fmt.Errorf("no desk is configured: %w", errNoDesk)
	}
	q.query.Set("office", q.office)
	var body bytes.Buffer
	if q.body != nil {
		if err := json.NewEncoder(&body).Encode(q.body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, q.method, d.url+q.path+"?"+q.query.Encode(), &body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return errors.Join(errNoDesk, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxDeskAnswer))
	if err != nil {
		return errors.Join(errNoDesk, err)
	}
	return readDesk(resp.StatusCode, text, answer)
}

func readDesk(status int, text []byte, answer any) error {
	if status == http.StatusOK {
		if err := json.Unmarshal(text, answer); err != nil {
			return errors.Join(errNoDesk, err)
		}
		return nil
	}
	var said problem
	if json.Unmarshal(text, &said) == nil && said.Status == status { // the desk's own words
		switch status {
		case http.StatusNotFound:
			return fmt.Errorf("case: %w", safety.ErrNotFound)
		case http.StatusConflict, http.StatusBadRequest:
			return refuse(status, said.Detail)
		}
	}
	return errors.Join(errNoDesk, fmt.Errorf("the desk answered %d: %s", status, said.Detail))
}
