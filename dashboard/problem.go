package dashboard

import (
	"errors"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
)

// problem is an RFC 9457 answer.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (p problem) Error() string { return p.Detail }

// refuse answers with a problem of the given status.
func refuse(status int, detail string) error {
	return problem{Type: "about:blank", Title: statusTitle(status), Status: status, Detail: detail}
}

func statusTitle(status int) string {
	if status == fiber.StatusTooManyRequests {
		return "Too Many Requests"
	}
	return fiber.NewError(status).Message
}

// answerErrors maps kinds of error to statuses, in this one place. What is not
// the asker's business is logged and answered without detail.
func answerErrors(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p, known := errors.AsType[problem](err)
		if !known {
			p = problem{Type: "about:blank", Status: statusOf(err), Detail: err.Error()}
			p.Title = statusTitle(p.Status)
		}
		if p.Status == fiber.StatusInternalServerError {
			log.Error("request failed", "method", c.Method(), "path", c.Path(), "err", err)
			p.Detail = "the server could not do this; its log says why"
		}
		c.Status(p.Status)
		if sendErr := c.JSON(p); sendErr != nil {
			return sendErr
		}
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return nil
	}
}

func statusOf(err error) int {
	fiberErr, isFiber := errors.AsType[*fiber.Error](err)
	switch {
	case isFiber:
		return fiberErr.Code
	case errors.Is(err, safety.ErrNotFound):
		return fiber.StatusNotFound
	case errors.Is(err, safety.ErrForbidden):
		return fiber.StatusForbidden
	case errors.Is(err, safety.ErrConflict):
		return fiber.StatusConflict
	case errors.Is(err, safety.ErrInvalid):
		return fiber.StatusBadRequest
	}
	return fiber.StatusInternalServerError
}
