// The beginning of the journey, with the client that NSwag generates.
using System;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Converters;
using SmsHub;

public static class Journey
{
    public static void Main(string[] arguments)
    {
        Go(arguments[0], arguments[1], arguments[2]).GetAwaiter().GetResult();
    }

    private static async Task Go(string url, string programSid, string programKey)
    {
        var http = new HttpClient();
        var hub = new Client(http) { BaseUrl = url };
        var token = await hub.LogInAsync(new Credentials { ProgramSID = programSid, ProgramKey = programKey });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        var newText = new NewTextMessage
        {
            Message = "Your appointment is at 10:30.",
            PhoneNumber = "(970) 690-4544",
            Priority = Priority.Urgent,
        };
        var sent = await hub.SendTextMessageAsync("appointment-1", null, newText);
        var text = await hub.GetTextMessageAsync(sent.Id);
        var preview = await hub.PreviewTextMessageAsync(new NewPreview { Message = "Don't forget…" });
        Problem refused = null;
        try
        {
            newText.PhoneNumber = "970-690-4544, 12";
            await hub.SendTextMessageAsync(null, null, newText);
        }
        catch (ApiException<Problem> error)
        {
            refused = error.Result;
        }

        Console.WriteLine(JsonConvert.SerializeObject(new
        {
            Token = token,
            text.Id,
            text.Priority,
            text.DateSent,
            preview.Encoding,
            preview.Audience,
            Refused = new object[] { refused.Status, refused.Type, refused.Errors.First().Position },
        }, new StringEnumConverter()));
    }
}
