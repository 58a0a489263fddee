package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// The pauses between attempts to reply, and for how long after the deadline it
// still makes sense: a deadline may have been moved by a retry.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 30 * time.Second
	grace      = time.Minute
)

// reply sends the answer to one address after the other until somebody takes it,
// or says that it is not wanted any more. False: ctx ended first.
func (a *agent) reply(ctx context.Context, c *call) bool {
	a.mu.Lock()
	body, err := json.Marshal(c.Answer)
	a.mu.Unlock()
	if err != nil {
		body = []byte(`{"exception": "the value is no JSON"}`)
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		a.mu.Lock()
		addresses, by := c.ReplyTo, c.ReplyBy
		a.mu.Unlock()
		for _, address := range addresses {
			if a.post(ctx, address, c.Token, body) {
				return true
			}
		}
		if time.Now().After(by.Add(grace)) {
			a.log.Warn("nobody took the reply in time", "id", c.ID)
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}

// post tells whether the host has the reply for good, or does not want it.
func (a *agent) post(ctx context.Context, address, token string, body []byte) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := a.client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody)) // so that the connection is used again
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted: // taken
	case http.StatusConflict, http.StatusGone, http.StatusNotFound: // not wanted
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge:
		a.log.Error("reply refused", "status", response.Status)
	default:
		return false // another host, or later
	}
	return true
}
