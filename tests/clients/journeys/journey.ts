// What an office does with the client that is generated for TypeScript.
import {
    AccessApi, Configuration, Priority, type Problem, ProblemFromJSON, ResponseError, SubscribersApi, TextMessagesApi,
} from "./client";

const [url, programSID, programKey] = process.argv.slice(2);

async function problemOf(call: Promise<unknown>): Promise<Problem> {
    try {
        await call;
    } catch (error) {
        if (error instanceof ResponseError) {
            return ProblemFromJSON(await error.response.json());
        }
        throw error;
    }
    throw new Error("The call was to be refused.");
}

async function main(): Promise<void> {
    const token = await new AccessApi(new Configuration({ basePath: url }))
        .logIn({ credentials: { programSID, programKey } });
    const configuration = new Configuration({ basePath: url, accessToken: token });
    const texts = new TextMessagesApi(configuration);

    const request = {
        newTextMessage: {
            message: "Your appointment is at 10:30.",
            phoneNumber: "(970) 690-4544, 970.690.4545",
            priority: Priority.Urgent,
            expiresAt: new Date("2030-01-01T10:30:00-07:00"),
        },
        idempotencyKey: "appointment-1",
        prefer: "wait=30",
    };
    const sent = await texts.sendTextMessage(request);
    const again = await texts.sendTextMessage(request);
    const text = await texts.getTextMessage({ id: sent.id });
    const deliveries = await texts.listDeliveries({ id: sent.id, limit: 10 });
    const listed = await texts.listTextMessages({ status: text.status });
    const preview = await texts.previewTextMessage({
        newPreview: { message: "Don't forget…", phoneNumber: "970-690-4544" },
    });
    const subscriber = await new SubscribersApi(configuration).setSubscriber({
        newSubscriber: { phoneNumber: "970-690-4546", doNotText: true },
    });
    const refused = await problemOf(
        texts.sendTextMessage({ newTextMessage: { message: "Hello", phoneNumber: "970-690-4544, 12" } }),
    );
    const stale = await problemOf(
        new TextMessagesApi(new Configuration({ basePath: url, accessToken: "stale" })).listTextMessages(),
    );

    console.log(JSON.stringify({
        Token: token,
        Id: sent.id,
        AgainId: again.id,
        Status: text.status,
        Priority: text.priority,
        DateSent: text.dateSent.toISOString(),
        ExpiresAt: text.expiresAt?.toISOString(),
        SendAt: text.sendAt,
        Counts: text.counts,
        Numbers: deliveries.items.map((each) => each.phoneNumber),
        Listed: listed.items.map((each) => each.id),
        NextCursor: listed.nextCursor,
        Encoding: preview.encoding,
        Obstacle: preview.obstacles[0].character,
        Recipients: preview.audience?.recipients,
        Cost: preview.audience?.estimatedCost,
        OptedOut: [subscriber.phoneNumber, subscriber.doNotText],
        Refused: [refused.status, refused.type, refused.detail, refused.errors?.[0].position],
        Stale: [stale.status, stale.type],
    }));
}

void main();
