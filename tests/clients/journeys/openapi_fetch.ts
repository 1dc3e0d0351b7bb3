// The beginning of the journey, with openapi-fetch and the types that openapi-typescript generates.
import createClient from "openapi-fetch";
import type { paths } from "./hub";

const [baseUrl, ProgramSID, ProgramKey] = process.argv.slice(2);

async function main(): Promise<void> {
    const hub = createClient<paths>({ baseUrl });
    const { data: token } = await hub.POST("/api/Login", { body: { ProgramSID, ProgramKey } });
    hub.use({
        onRequest({ request }) {
            request.headers.set("Authorization", `Bearer ${token}`);
        },
    });

    const { data: sent } = await hub.POST("/api/TextMessages", {
        params: { header: { "Idempotency-Key": "appointment-1" } },
        body: { Message: "Your appointment is at 10:30.", PhoneNumber: "(970) 690-4544", Priority: "urgent" },
    });
    const { data: text } = await hub.GET("/api/TextMessages/{Id}", { params: { path: { Id: sent!.Id } } });
    const { data: preview } = await hub.POST("/api/TextMessages/Preview", { body: { Message: "Don't forget…" } });
    const { error: refused } = await hub.POST("/api/TextMessages", {
        body: { Message: "Hello", PhoneNumber: "970-690-4544, 12" },
    });

    console.log(JSON.stringify({
        Token: token,
        Id: text!.Id,
        Priority: text!.Priority,
        DateSent: text!.DateSent,
        Encoding: preview!.Encoding,
        Audience: preview!.Audience,
        Refused: [refused!.status, refused!.type, refused!.errors?.[0].position],
    }));
}

void main();
