// mono HttpClientProgram.exe HUB PROGRAM_ID PROGRAM_SID PROGRAM_KEY SCHEME DATE
// SCHEME: "Bearer", or "" for the token alone. DATE: "now", or "" where nobody has set one.
using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;

public class TextMessage
{
    public string ProgramId { get; set; }
    public string Message { get; set; }
    public string PhoneNumber { get; set; }
    public DateTime DateSent { get; set; }
    public bool? SendSuccessful { get; set; }
    public string SentResult { get; set; }
}

public class Subscriber
{
    public string ProgramId { get; set; }
    public string PhoneNumber { get; set; }
    public bool DoNotText { get; set; }
}

public class TextMessageService
{
    private readonly HttpClient client = new HttpClient();
    private readonly string programSid;
    private readonly string programKey;
    private readonly string scheme;

    public TextMessageService(string hub, string programSid, string programKey, string scheme)
    {
        client.BaseAddress = new Uri(hub + "/");
        client.Timeout = TimeSpan.FromSeconds(5);
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        this.programSid = programSid;
        this.programKey = programKey;
        this.scheme = scheme;
    }

    public async Task Login()
    {
        var credentials = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            { "ProgramSID", programSid },
            { "ProgramKey", programKey },
        });
        var response = await client.PostAsync("api/Login", credentials);
        response.EnsureSuccessStatusCode();
        var token = (await response.Content.ReadAsStringAsync()).Trim('"');
        client.DefaultRequestHeaders.Remove("Authorization");
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", (scheme + " " + token).Trim());
    }

    public async Task<T> Post<T>(string path, T model)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var json = JsonConvert.SerializeObject(model);
            var content = new StringContent(json, Encoding.UTF8, "application/json");
            var response = await client.PostAsync(path, content);
            if (response.StatusCode == HttpStatusCode.OK)
                return JsonConvert.DeserializeObject<T>(await response.Content.ReadAsStringAsync());
            if (response.StatusCode != HttpStatusCode.Unauthorized)
                throw new Exception("Not sent: " + response.StatusCode);
            await Login();
        }
        throw new Exception("Not let in");
    }
}

public static class Program
{
    public static void Main(string[] args)
    {
        Run(args).Wait();
        Environment.Exit(0);
    }

    private static async Task Run(string[] args)
    {
        var service = new TextMessageService(args[0], args[2], args[3], args[4]);
        await service.Login();
        await Send(service, args, "The first");
        var subscriber = new Subscriber { ProgramId = args[1], PhoneNumber = "970.690.4545", DoNotText = true };
        subscriber = await service.Post("api/Subscribers", subscriber);
        Console.WriteLine(subscriber.DoNotText ? "Opted out" : "Opted in");
        await Send(service, args, "The second");
    }

    private static async Task Send(TextMessageService service, string[] args, string message)
    {
        var text = new TextMessage
        {
            ProgramId = args[1],
            Message = message,
            PhoneNumber = "(970) 690-4544, 1.970.690.4545,19706904546",
        };
        if (args[5] == "now")
            text.DateSent = DateTime.Now;
        text = await service.Post("api/TextMessages", text);
        Console.WriteLine(text.SendSuccessful == true ? text.SentResult : "Failed");
    }
}
