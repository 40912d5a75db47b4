package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"nirapod/safety"
)

// client asks the HTTP API as a person would.
type client struct {
	base, token string
	http        http.Client
}

func newClient(address string) *client {
	return &client{base: "http://" + address, http: http.Client{Timeout: 5 * time.Second}}
}

func (c *client) ask(method, path string, body, answer any) error {
	var in io.Reader
	if body != nil {
		doc, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(doc)
	}
	req, err := http.NewRequest(method, c.base+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	got, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if got.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, got.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (c *client) logIn(name, password string) error {
	var session struct{ Token string }
	err := c.ask(http.MethodPost, "/api/v1/login", map[string]string{"username": name, "password": password}, &session)
	c.token = session.Token
	return err
}

func (c *client) ready(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "readyz", func() error { return c.ask(http.MethodGet, "/readyz", nil, nil) })
}

func (c *client) alerts() ([]safety.Alert, error) {
	var page struct{ Items []safety.Alert }
	return page.Items, c.ask(http.MethodGet, "/api/v1/alerts?limit=200", nil, &page)
}

func (c *client) notices() ([]safety.Notice, error) {
	var page struct{ Items []safety.Notice }
	return page.Items, c.ask(http.MethodGet, "/api/v1/notices?limit=200", nil, &page)
}

// received returns the notices that the desk has answered.
func (c *client) received() ([]safety.Notice, error) {
	all, err := c.notices()
	var received []safety.Notice
	for _, n := range all {
		if n.Status == safety.NoticeReceived {
			received = append(received, n)
		}
	}
	return received, err
}
