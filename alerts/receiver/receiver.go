// Package receiver carries messages out of the machine: by e-mail, by SMS through
// a provider's HTTP door, and to other programs by webhook. It knows nothing of
// alerts; it says whether the other side took a message, and if not, whether to
// try again.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"nirapod/safety"
)

// Message is what one person, or one program, is told.
type Message struct {
	ID       string      `json:"id"` // the same at every attempt
	Factory  string      `json:"factory_id"`
	Alert    string      `json:"alert_id"` // "" of a test
	Step     string      `json:"step"`     // of the ladder
	Address  string      `json:"-"`        // an e-mail address or a telephone number; "" to a program
	Language string      `json:"-"`        // bn or en: what a short message is written in
	Text     safety.Name `json:"text"`
	Made     time.Time   `json:"made_at"`
}

// Short is the text in the language of the people who get it.
func (m Message) Short() string {
	if m.Language == "en" {
		return m.Text.EN
	}
	return m.Text.BN
}

// What a receiver needs of a person.
const (
	ByMail    = "mail"
	ByPhone   = "phone"
	ToProgram = "program"
)

// Receiver carries messages to one kind of address. Send may be called from
// many goroutines. It returns nil and the other side's answer once that took the
// message, which does not say that anybody read it; an error wrapping
// safety.ErrInvalid if it will never take it as it is; any other error if it
// may take it later. It gives up when ctx ends.
type Receiver struct {
	Name string
	By   string // ByMail, ByPhone or ToProgram
	Send func(ctx context.Context, m Message) (answer string, err error)
}

const answerLimit = 4 << 10 // bytes of an answer that are read

// timeout bounds one attempt, whatever the other side does.
const timeout = 10 * time.Second

// do sends a request and reads the answer: 2xx took it; 4xx never will, but
// for those that say later.
func do(client *http.Client, req *http.Request) (string, error) {
	resp, err := client.Do(req)
	if err != nil {
		return "", bare(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return "", bare(err)
	}
	switch later := resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode == http.StatusTooManyRequests ||
		resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden; {
	case resp.StatusCode/100 == 2:
		return string(body), nil
	case resp.StatusCode/100 == 4 && !later: // a wrong password is mended, a wrong number is not
		return "", fmt.Errorf("answer %s: %.200q: %w", resp.Status, body, safety.ErrInvalid)
	}
	return "", fmt.Errorf("answer %s: %.200q", resp.Status, body)
}

// bare is an error without the address that was asked: it may hold a number or
// a password.
func bare(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
