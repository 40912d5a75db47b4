package receiver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// WebhookConfig is where another program listens.
type WebhookConfig struct {
	URL        string `yaml:"url"`
	SecretFile string `yaml:"secret_file"` // holds the shared secret alone; read by whoever builds the receiver
}

// Headers of a webhook. The signature is HMAC-SHA256, in hex, of the time, a
// dot and the body, under the shared secret; the id is the same at every attempt.
const (
	HeaderID        = "Nirapod-Message"
	HeaderTime      = "Nirapod-Time" // Unix seconds of this attempt
	HeaderSignature = "Nirapod-Signature"
)

// NewWebhook returns a receiver for a program. now is the clock of the signature.
func NewWebhook(cfg WebhookConfig, secret string, client *http.Client, now func() time.Time) Receiver {
	send := func(ctx context.Context, m Message) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		body, err := json.Marshal(m)
		if err != nil {
			return "", err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.URL, bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		at := strconv.FormatInt(now().Unix(), 10)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(HeaderID, m.ID)
		req.Header.Set(HeaderTime, at)
		req.Header.Set(HeaderSignature, Sign(secret, at, body))
		return do(client, req)
	}
	return Receiver{Name: "webhook", By: ToProgram, Send: send}
}

// Sign is the signature of a body that was sent at a time.
func Sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
